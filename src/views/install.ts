import type { Sql } from '../db/client.ts';
import type { ViewDefinition } from './definition.ts';

export interface InstallRequest {
  /** its schema and name, others than the table's where they are taken */
  schema: string;
  name: string;
  /** the one whose events it shows; all that its reader may read where it is left out */
  workspaceId: string | undefined;
  /** the role that reads it; where no workspace is named, all that there are now are listed for it */
  reader: string | undefined;
}

export type Installed = { ok: true } | { ok: false; reason: 'taken'; kind: string };

const KINDS: Readonly<Record<string, string>> = { r: 'table', p: 'table', m: 'materialized view', v: 'view' };

/**
 * Installs a view, or puts it in the place of one that was installed before. security_invoker: whoever reads it sees what
 * row-level security lets them see. Needs the owner's connection.
 * @returns `taken` where something else has the name
 * @throws NeonDbError
 */
export async function installView(
  sql: Sql,
  view: ViewDefinition,
  request: InstallRequest,
): Promise<Installed> {
  const { schema, name, workspaceId } = request;
  const [found] = await sql.query(
    `SELECT c.relkind, obj_description(c.oid, 'pg_class') AS comment FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE (n.nspname, c.relname) = ($1, $2)`,
    [schema, name],
  );
  if (found !== undefined && found['comment'] !== COMMENT)
    return { ok: false, reason: 'taken', kind: KINDS[String(found['relkind'])] ?? 'relation' };

  const at = `${identifier(schema)}.${identifier(name)}`;
  const statements = [
    `CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}`,
    `DROP VIEW IF EXISTS ${at}`,
    definitionOf(view, at, workspaceId),
    `COMMENT ON VIEW ${at} IS ${literal(COMMENT)}`,
  ];
  await sql.transaction([...statements.map((statement) => sql.query(statement)), ...rightsOf(sql, request)]);
  return { ok: true };
}

const COMMENT = 'installed by daybook views install';

function definitionOf(view: ViewDefinition, at: string, workspaceId: string | undefined): string {
  const columns = view.columns.map(([name, expression]) => `${expression} AS ${identifier(name)}`);
  const where = workspaceId === undefined ? '' : ` WHERE e.workspace_id = ${literal(workspaceId)}`;
  return `CREATE VIEW ${at} WITH (security_invoker = true) AS SELECT ${columns.join(', ')}
    FROM audit.events e LEFT JOIN audit.event_ips address
      ON address.workspace_id = e.workspace_id AND address.event_id = e.id AND address.created_at = e.created_at
      AND address.created_at > (SELECT audit.ip_horizon())${where}`;
}

/** Row-level security shows a reader the workspaces that are listed for it. */
function rightsOf(sql: Sql, { schema, name, workspaceId, reader }: InstallRequest) {
  if (reader === undefined) return [];
  const role = identifier(reader);
  return [
    sql.query(`GRANT daybook_reader TO ${role}`),
    sql.query(`GRANT USAGE ON SCHEMA ${identifier(schema)} TO ${role}`),
    sql.query(`GRANT SELECT ON ${identifier(schema)}.${identifier(name)} TO ${role}`),
    sql.query(
      `INSERT INTO audit.readers (role_name, workspace_id)
       SELECT $1, id FROM audit.workspaces WHERE $2::text IS NULL UNION SELECT $1, $2 WHERE $2 IS NOT NULL ON CONFLICT DO NOTHING`,
      [reader, workspaceId ?? null],
    ),
  ];
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Standard-conforming; a backslash means nothing in it. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
