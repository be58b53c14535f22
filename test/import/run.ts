import { mkdtemp, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openImport, type ImportRequest } from '../../src/import/open-import.ts';
import { runImport, type Result } from '../../src/import/run-import.ts';
import type { TestDatabase } from '../support/database.ts';

/** A line of a rejects file. */
export interface Rejected {
  place: Record<string, string>;
  reasons: { column?: string; pointer?: string; code: string; detail: string }[];
  row?: Record<string, unknown>;
  raw?: string;
  cut?: boolean;
}

export interface Imported extends Result {
  rejects: Rejected[];
}

/** A directory for the files of a test. */
export async function scratch(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'daybook-import-'));
}

/** Imports as the command does, in this process. */
export async function importInto(
  { owner }: TestDatabase,
  request: ImportRequest,
  options: { dryRun?: boolean; rejects?: string; onProgress?: () => void } = {},
): Promise<Imported> {
  const opened = await openImport(request);
  try {
    const rejects = options.rejects ?? join(await scratch(), 'rejects.ndjson');
    const task = {
      ...opened,
      rejects,
      dryRun: options.dryRun === true,
      onProgress: options.onProgress ?? (() => {}),
    };
    const result = await runImport(owner, task);
    return { ...result, rejects: await readRejects(rejects) };
  } finally {
    await opened.source.close();
  }
}

export async function readRejects(path: string): Promise<Rejected[]> {
  if (!existsSync(path)) return [];
  const lines = (await readFile(path, 'utf8')).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Rejected);
}

/** What is stored of a workspace, without what is random or the clock's: in one order, as text. */
export async function storedOf(
  { owner }: TestDatabase,
  workspaceId: string,
): Promise<Record<string, unknown>[]> {
  return owner.query(
    `SELECT e.id, e.created_at, e.occurred_at, e.action, e.version, e.actor_type, e.actor_id, e.actor_name, e.actor_email,
            e.target_type, e.target_id, e.outcome, e.reason, e.old_value, e.new_value, e.metadata, e.user_agent, e.session_id,
            e.source_id, e.key_id, e.ip_commitment IS NOT NULL AS had_address, host(a.ip_address) AS ip_address,
            p.pending
     FROM audit.events e
     LEFT JOIN audit.event_ips a ON (a.workspace_id, a.event_id, a.created_at) = (e.workspace_id, e.id, e.created_at)
     LEFT JOIN (SELECT id, count(*)::int AS pending FROM audit.log_pending WHERE workspace_id = $1 GROUP BY id) p USING (id)
     WHERE e.workspace_id = $1 ORDER BY e.id`,
    [workspaceId],
  );
}

/** How many events workspaces have, how many of them wait to be sealed once, and what they hold, with and without their ids. */
export async function digestOf(
  { owner }: TestDatabase,
  workspaces: readonly string[],
): Promise<{ events: number; pending: number; content: string; rows: string }> {
  const [row] = await owner.query(
    `SELECT count(*)::int AS events, count(*) FILTER (WHERE pending = 1)::int AS pending,
            md5(string_agg(content, ',' ORDER BY content)) AS content, md5(string_agg(id || content, ',' ORDER BY id)) AS rows
     FROM (
       SELECT e.id::text, p.pending,
              md5(row(e.created_at, e.occurred_at, e.action, e.version, e.actor_type, e.actor_id, e.actor_name, e.actor_email, e.target_type,
                      e.target_id, e.outcome, e.reason, e.old_value, e.new_value, e.metadata, e.user_agent, e.source_id, e.key_id,
                      e.ip_commitment IS NULL, e.person_commitment IS NULL, e.payload_commitment IS NULL, a.ip_address)::text) AS content
       FROM audit.events e
       LEFT JOIN audit.event_ips a ON (a.workspace_id, a.event_id, a.created_at) = (e.workspace_id, e.id, e.created_at)
       LEFT JOIN (SELECT workspace_id, id, count(*)::int AS pending FROM audit.log_pending GROUP BY 1, 2) p
         ON (p.workspace_id, p.id) = (e.workspace_id, e.id)
       WHERE e.workspace_id = ANY ($1)) AS stored`,
    [workspaces],
  );
  return row as { events: number; pending: number; content: string; rows: string };
}
