import type { Sql } from '../db/client.ts';
import { isId, makeId } from '../events/id.ts';
import { SYSTEM_WORKSPACE } from '../events/own-event.ts';
import { isWorkspaceId } from '../events/workspace-id.ts';
import { ANY_WORKSPACE, signKey, type Scope } from './key.ts';

/** What a new key is to be good for. */
export interface KeyRequest {
  name: string;
  /** ids, or `*` alone for a key that writes to any workspace */
  workspaces: string[];
  scopes: Scope[];
  /** ms since 1970; absent: never */
  expiresAt?: number | undefined;
}

/** A key as it is listed: nothing of it is secret. */
export interface ListedKey {
  id: string;
  name: string;
  workspaces: string[];
  scopes: string[];
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
}

/** The request for a key cannot be met; the message says what to change. */
export class KeyRequestError extends Error {
  override name = 'KeyRequestError';
}

/**
 * Makes a key, and the workspaces it covers where they do not exist. Needs the owner's connection.
 * @returns the key, which is shown once and stored nowhere
 * @throws KeyRequestError
 */
export async function issueKey(
  sql: Sql,
  secret: string,
  request: KeyRequest,
): Promise<{ id: string; key: string }> {
  checkRequest(request);
  const id = makeId(Date.now());
  const expires = request.expiresAt === undefined ? undefined : Math.floor(request.expiresAt / 1000);
  const { workspaces, scopes } = request;
  const key = await signKey({ id, workspaces, scopes, ...(expires !== undefined && { expires }) }, secret);
  await sql.transaction([
    sql.query('INSERT INTO audit.workspaces (id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING', [
      workspaces.filter((workspace) => workspace !== ANY_WORKSPACE),
    ]),
    sql.query(
      `INSERT INTO audit.api_keys (id, name, workspaces, scopes, expires_at)
       VALUES ($1, $2, $3, $4, to_timestamp($5::bigint))`,
      [id, request.name, workspaces, scopes, expires ?? null],
    ),
  ]);
  return { id, key };
}

/** Keys of a workspace, or all, newest first; at most 1,000. */
export async function listKeys(sql: Sql, workspaceId?: string): Promise<ListedKey[]> {
  const utc = (column: string) =>
    `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS ${column}`;
  const rows = await sql.query(
    `SELECT id, name, workspaces, scopes, ${utc('created_at')}, ${utc('expires_at')}, ${utc('revoked_at')}
     FROM audit.api_keys WHERE $1::text IS NULL OR $1 = ANY (workspaces) ORDER BY id DESC LIMIT 1000`,
    [workspaceId ?? null],
  );
  return rows as ListedKey[];
}

/**
 * Revokes a key; every isolate obeys within a minute.
 * @returns false when there is no such key or it was revoked before
 * @throws KeyRequestError when the id is none that a key can have
 */
export async function revokeKey(sql: Sql, id: string): Promise<boolean> {
  if (!isId(id))
    throw new KeyRequestError(
      `"${id}" is not the id of a key: that is a UUID, as the list of keys shows it.`,
    );
  const rows = await sql.query(
    'UPDATE audit.api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id',
    [id],
  );
  return rows.length === 1;
}

function checkRequest({ name, workspaces, scopes, expiresAt }: KeyRequest): void {
  if (name.length < 1 || name.length > 255)
    throw new KeyRequestError('A key needs a name of 1 to 255 characters.');
  if (workspaces.length < 1 || workspaces.length > 100)
    throw new KeyRequestError('A key covers 1 to 100 workspaces, or *.');
  if (workspaces.some((id) => id !== ANY_WORKSPACE && !isWorkspaceId(id)))
    throw new KeyRequestError('A workspace id has 1 to 128 characters, and no NUL.');
  if (workspaces.includes(SYSTEM_WORKSPACE) && scopes.includes('events:write'))
    throw new KeyRequestError(
      `Only the service writes to the workspace ${SYSTEM_WORKSPACE}: a key for it cannot have the scope events:write.`,
    );
  if (scopes.length < 1) throw new KeyRequestError('A key needs at least one scope.');
  if (
    workspaces.includes(ANY_WORKSPACE) &&
    (workspaces.length > 1 || scopes.some((scope) => scope !== 'events:write'))
  ) {
    throw new KeyRequestError(
      'A key for every workspace (*) names no other workspace and has the scope events:write only.',
    );
  }
  if (expiresAt !== undefined && !(expiresAt > Date.now()))
    throw new KeyRequestError('The expiry must lie in the future.');
}
