import { NeonDbError } from '@neondatabase/serverless';
import type { Sql } from '../db/client.ts';
import type { ViewDefinition } from './definition.ts';
import { checkReader, grantReading } from './readers.ts';
import { identifier, literal, queryOf, type Shown } from './statements.ts';

export interface InstallRequest extends Shown {
  /** the name by which the view is defined */
  preset: string;
  /** its schema and name, others than the table's where they are taken */
  schema: string;
  name: string;
  /** the role that reads it; where no workspace is named, all that there are now are listed for it */
  reader: string | undefined;
}

export type Installed =
  | { ok: true; /** workspaces that the reader could read before */ lost: string[] }
  /** something of the team's own has the name */
  | { ok: false; reason: 'taken'; kind: string }
  /** a view of another preset or workspace has it; `shows` says of which */
  | { ok: false; reason: 'other_view'; shows: string }
  /** its columns become others, and views of the team's own are made of it */
  | { ok: false; reason: 'depended_on' }
  | { ok: false; reason: 'reader_missing' | 'reader_reads_all' };

const KINDS: Readonly<Record<string, string>> = { r: 'table', p: 'table', m: 'materialized view', v: 'view' };
const MARK = 'installed by daybook views install: ';
/** invalid_table_definition: the columns of a view are not those that it had; dependent_objects_still_exist */
const [OTHER_COLUMNS, DEPENDED_ON] = ['42P16', '2BP01'];

/**
 * Installs a view, or puts it in the place of one that was installed before: whoever could read that one can read this.
 * security_invoker: whoever reads it sees what row-level security lets them see. Needs the owner's connection.
 * @throws NeonDbError
 */
export async function installView(
  sql: Sql,
  view: ViewDefinition,
  request: InstallRequest,
): Promise<Installed> {
  const { preset, schema, name, workspaceId, reader } = request;
  const shows = `${preset}, ${workspaceId === undefined ? 'of all workspaces' : `of the workspace ${workspaceId}`}`;
  const found = await findRelation(sql, schema, name);
  if (found !== undefined && !found.comment.startsWith(MARK))
    return { ok: false, reason: 'taken', kind: KINDS[found.kind] ?? 'relation' };
  const other = found?.comment.slice(MARK.length) ?? shows;
  if (other !== shows) return { ok: false, reason: 'other_view', shows: other };
  if (reader !== undefined) {
    const state = await checkReader(sql, reader);
    if (state !== 'good')
      return { ok: false, reason: state === 'missing' ? 'reader_missing' : 'reader_reads_all' };
  }

  const at = `${identifier(schema)}.${identifier(name)}`;
  const query = queryOf(view, request);
  const run = async (statements: string[]) => {
    const rights = reader === undefined ? [] : grantReading(sql, { schema, name, workspaceId, reader });
    const answers = await sql.transaction([
      ...statements.map((statement) => sql.query(statement)),
      sql.query(`COMMENT ON VIEW ${at} IS ${literal(MARK + shows)}`),
      ...rights,
    ]);
    const lost = reader === undefined ? [] : (answers.at(-1) ?? []);
    return { ok: true as const, lost: lost.map((row) => String(row['workspace_id'])) };
  };
  try {
    const create = `CREATE OR REPLACE VIEW ${at} WITH (security_invoker = true) AS ${query}`;
    return await run([`CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}`, create]);
  } catch (error) {
    if (!(error instanceof NeonDbError) || error.code !== OTHER_COLUMNS) throw error;
  }
  try {
    const create = `CREATE VIEW ${at} WITH (security_invoker = true) AS ${query}`;
    return await run([`DROP VIEW ${at}`, create, ...(await grantsOn(sql, schema, name))]);
  } catch (error) {
    if (error instanceof NeonDbError && error.code === DEPENDED_ON)
      return { ok: false, reason: 'depended_on' };
    throw error;
  }
}

const RELATION = `FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace`;

async function findRelation(sql: Sql, schema: string, name: string) {
  const [found] = await sql.query(
    `SELECT c.relkind, obj_description(c.oid, 'pg_class') AS comment ${RELATION} WHERE (n.nspname, c.relname) = ($1, $2)`,
    [schema, name],
  );
  if (found === undefined) return undefined;
  return { kind: String(found['relkind']), comment: String(found['comment'] ?? '') };
}

/** What makes the rights on a view anew that others than its owner have. */
async function grantsOn(sql: Sql, schema: string, name: string): Promise<string[]> {
  const rows = await sql.query(
    `SELECT format('GRANT %s ON %I.%I TO %s%s', a.privilege_type, n.nspname, c.relname,
       CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
       CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS statement
     ${RELATION}, aclexplode(c.relacl) AS a WHERE (n.nspname, c.relname) = ($1, $2) AND a.grantee <> c.relowner`,
    [schema, name],
  );
  return rows.map((row) => String(row['statement']));
}
