import type { Deployment } from './deployment.ts';

/** The stored event with its address and leaf hash (hex); undefined when there is none. */
export async function storedEvent(
  deployment: Deployment,
  workspaceId: string,
  id: unknown,
): Promise<Record<string, unknown> | undefined> {
  const rows = await deployment.database.owner.query(
    `SELECT e.*, encode(e.leaf_hash, 'hex') AS leaf_hash, host(a.ip_address) AS ip_address,
            (SELECT count(*)::int FROM audit.log_pending p
             WHERE (p.workspace_id, p.id) = (e.workspace_id, e.id)) AS pending
     FROM audit.events e
     LEFT JOIN audit.event_ips a
       ON (a.workspace_id, a.event_id, a.created_at) = (e.workspace_id, e.id, e.created_at)
     WHERE e.workspace_id = $1 AND e.id = $2`,
    [workspaceId, id],
  );
  if (rows.length > 1) throw new Error(`event ${String(id)} is stored ${rows.length} times`);
  return rows[0];
}

/** How many events there are, of one workspace or of all. */
export async function countEvents(deployment: Deployment, workspaceId?: string): Promise<number> {
  const [row] = await deployment.database.owner.query(
    'SELECT count(*)::int AS count FROM audit.events WHERE $1::text IS NULL OR workspace_id = $1',
    [workspaceId ?? null],
  );
  return Number(row?.['count']);
}

/** Names of the tables of which any column of any row holds a text. */
export async function tablesHolding(deployment: Deployment, text: string): Promise<string[]> {
  const { owner } = deployment.database;
  const tables = await owner.query(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('audit', 'public') AND c.relkind = 'r' ORDER BY 1`,
  );
  const holding: string[] = [];
  for (const { name } of tables) {
    const query = `SELECT EXISTS (SELECT FROM ${name} t WHERE strpos(t::text, $1) > 0) AS held`;
    const [row] = await owner.query(query, [text]);
    if (row?.['held'] === true) holding.push(String(name));
  }
  return holding;
}
