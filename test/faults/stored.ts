import type { TestServer } from '../support/postgres-server.ts';
import { checksumOf, type Content } from './event.ts';
import { query } from './query.ts';

/** What the database has under one id. */
export interface Stored {
  id: string;
  /** over the content as it is stored */
  checksum: string;
  /** rows in audit.events, log_pending, event_ips and event_targets */
  rows: number;
  pending: number;
  addresses: number;
  targets: number;
}

interface EventRow {
  id: string;
  content: Content;
}

/** Rows of a page: none must hold more than fits into memory at once. */
const PAGE = 5000;

/** Everything that is stored, but for what the service records of itself. */
export async function readStored(server: TestServer): Promise<Stored[]> {
  const stored = new Map<string, Stored>();
  const at = (id: string) => {
    const known = stored.get(id);
    if (known !== undefined) return known;
    const fresh = { id, checksum: '', rows: 0, pending: 0, addresses: 0, targets: 0 };
    stored.set(id, fresh);
    return fresh;
  };
  for (let offset = 0; ; offset += PAGE) {
    const rows = await query<EventRow>(server, CONTENTS, [offset, PAGE]);
    for (const { id, content } of rows) {
      const entry = at(id);
      entry.rows += 1;
      entry.checksum = checksumOf(content);
    }
    if (rows.length < PAGE) break;
  }
  const others = { pending: 'log_pending', addresses: 'event_ips', targets: 'event_targets' } as const;
  for (const [member, table] of Object.entries(others)) {
    const column = table === 'log_pending' ? 'id' : 'event_id';
    const counts = await query<{ id: string; count: number }>(
      server,
      `SELECT ${column}::text AS id, count(*)::int AS count FROM audit.${table} WHERE workspace_id <> 'daybook' GROUP BY 1`,
    );
    for (const { id, count } of counts) at(id)[member as keyof typeof others] = count;
  }
  return [...stored.values()];
}

/** Which of these ids the database does not have. */
export async function missing(server: TestServer, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await query<{ id: string }>(
    server,
    `SELECT id::text FROM unnest($1::uuid[]) AS sent (id)
     WHERE NOT EXISTS (SELECT FROM audit.events e WHERE e.workspace_id = 'faults' AND e.id = sent.id)`,
    [ids],
  );
  return rows.map(({ id }) => id);
}

/** The members of `Content`; what is NULL is absent, and the sender's own checksum is no part of what it covers. */
const CONTENTS = `
  SELECT e.id::text, jsonb_strip_nulls(jsonb_build_object(
    'action', action, 'occurred_at', to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'actor_type', actor_type, 'actor_id', actor_id, 'actor_name', actor_name, 'target_type', target_type, 'target_id', target_id,
    'outcome', outcome, 'reason', reason, 'user_agent', user_agent, 'request_id', request_id, 'source_id', source_id,
    'ip_address', host(a.ip_address)))
    || CASE WHEN related_targets IS NULL THEN '{}' ELSE jsonb_build_object('related', related_targets) END
    || CASE WHEN old_value IS NULL THEN '{}' ELSE jsonb_build_object('old_value', old_value) END
    || CASE WHEN new_value IS NULL THEN '{}' ELSE jsonb_build_object('new_value', new_value) END
    || jsonb_build_object('metadata', metadata - 'checksum') AS content
  FROM (SELECT * FROM audit.events WHERE workspace_id <> 'daybook' ORDER BY id OFFSET $1 LIMIT $2) e
  LEFT JOIN audit.event_ips a ON (a.workspace_id, a.event_id, a.created_at) = (e.workspace_id, e.id, e.created_at)`;
