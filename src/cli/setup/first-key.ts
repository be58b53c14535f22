import { issueKey } from '../../auth/issue.ts';
import { verifyKey } from '../../auth/key.ts';
import type { Sql } from '../../db/client.ts';

/** An API key that is good in this deployment, and for what. */
export interface FirstKey {
  key: string;
  workspaces: string[];
  isNew: boolean;
}

/**
 * The key that an earlier setup made, while it is good, or a new one that writes and reads.
 * @param secrets of the Worker: the first signs
 * @throws KeyRequestError when there can be no such workspace
 */
export async function firstKey(
  sql: Sql,
  secrets: readonly [string, ...string[]],
  known: string | undefined,
  workspace: string,
): Promise<FirstKey> {
  const check = known === undefined ? undefined : await verifyKey(known, secrets);
  if (known !== undefined && check?.ok === true) {
    const rows = await sql.query('SELECT FROM audit.api_keys WHERE id = $1 AND revoked_at IS NULL', [
      check.claims.id,
    ]);
    if (rows.length === 1) return { key: known, workspaces: check.claims.workspaces, isNew: false };
  }
  const request = {
    name: 'setup',
    workspaces: [workspace],
    scopes: ['events:write' as const, 'events:read' as const],
  };
  const { key } = await issueKey(sql, secrets[0], request);
  return { key, workspaces: request.workspaces, isNew: true };
}
