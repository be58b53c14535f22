import type { Sql } from '../db/client.ts';
import { SYSTEM_WORKSPACE } from '../events/own-event.ts';
import { identifier } from './statements.ts';

/**
 * Whether row-level security holds for a role: not where it, or a role that it may become or whose rights it has, bypasses it,
 * reads all there is, owns the tables or is the Worker's.
 */
export async function checkReader(sql: Sql, reader: string): Promise<'good' | 'missing' | 'reads_all'> {
  const [role] = await sql.query(
    `SELECT EXISTS (
       SELECT FROM pg_roles g WHERE pg_has_role(r.oid, g.oid, 'MEMBER') AND (
         g.rolsuper OR g.rolbypassrls OR g.rolname IN ('pg_read_all_data', 'daybook_app')
         OR g.oid IN (SELECT relowner FROM pg_class WHERE oid IN ('audit.events'::regclass, 'audit.readers'::regclass)))
     ) AS reads_all FROM pg_roles r WHERE r.rolname = $1`,
    [reader],
  );
  if (role === undefined) return 'missing';
  return role['reads_all'] === true ? 'reads_all' : 'good';
}

export interface Granted {
  schema: string;
  name: string;
  workspaceId: string | undefined;
  reader: string;
}

/**
 * Lets a role read a view, and through row-level security the workspace, or all others that there are now: these and no
 * others. The last of the queries answers which it may read no more.
 */
export function grantReading(sql: Sql, { schema, name, workspaceId, reader }: Granted) {
  const role = identifier(reader);
  const wanted = `SELECT id FROM audit.workspaces WHERE $2::text IS NULL AND id <> '${SYSTEM_WORKSPACE}' UNION SELECT $2 WHERE $2 IS NOT NULL`;
  const parameters = [reader, workspaceId ?? null];
  return [
    sql.query(`GRANT daybook_reader TO ${role}`),
    sql.query(`GRANT USAGE ON SCHEMA ${identifier(schema)} TO ${role}`),
    sql.query(`GRANT SELECT ON ${identifier(schema)}.${identifier(name)} TO ${role}`),
    sql.query(
      `INSERT INTO audit.readers (role_name, workspace_id) SELECT $1, id FROM (${wanted}) AS w ON CONFLICT DO NOTHING`,
      parameters,
    ),
    sql.query(
      `DELETE FROM audit.readers WHERE role_name = $1 AND workspace_id NOT IN (${wanted}) RETURNING workspace_id`,
      parameters,
    ),
  ];
}
