import { issueKey } from '../../auth/issue.ts';
import { verifyKey, type KeyClaims } from '../../auth/key.ts';
import type { Sql } from '../../db/client.ts';

/** Of the Worker, the one that signs first. */
type Secrets = readonly [string, ...string[]];

/** The workspaces of a key that is good in this deployment; undefined of any other. */
export async function workspacesOf(sql: Sql, secrets: Secrets, key: string): Promise<string[] | undefined> {
  const check = await verifyKey(key, secrets);
  return check.ok && (await isInForce(sql, check.claims)) ? check.claims.workspaces : undefined;
}

async function isInForce(sql: Sql, { id }: KeyClaims): Promise<boolean> {
  const rows = await sql.query(
    'SELECT FROM audit.api_keys WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())',
    [id],
  );
  return rows.length === 1;
}

/**
 * Makes a key that writes and reads.
 * @throws KeyRequestError when there can be no such workspace
 */
export async function firstKey(sql: Sql, [secret]: Secrets, workspace: string): Promise<string> {
  const { key } = await issueKey(sql, secret, {
    name: 'setup',
    workspaces: [workspace],
    scopes: ['events:write', 'events:read'],
  });
  return key;
}
