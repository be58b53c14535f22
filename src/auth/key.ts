import { toBase64Url } from '../http/base64url.ts';

/**
 * API keys that verify themselves: `dbk_` and base64url of an HMAC-SHA256 tag followed by the claims it covers, so that
 * an isolate that has just started can check one with the database down.
 */

export const SCOPES = [
  'events:write',
  'events:read',
  'catalogue:manage',
  'keys:manage',
  'privacy:manage',
] as const;
export type Scope = (typeof SCOPES)[number];

/** Covers every workspace; good for writing only. */
export const ANY_WORKSPACE = '*';

export interface KeyClaims {
  /** UUID, under which the key is listed and revoked */
  id: string;
  workspaces: string[];
  scopes: Scope[];
  /** seconds since 1970; absent when the key does not expire */
  expires?: number;
}

export type KeyCheck =
  | { ok: true; claims: KeyClaims }
  | { ok: false; reason: 'malformed_key' | 'invalid_key' };

const PREFIX = 'dbk_';
const TAG_BYTES = 32;
/** Tags of these keys mean nothing elsewhere, nor others' here. */
const CONTEXT = new TextEncoder().encode('daybook.api-key.v1\n');

/** @returns the key as its holder will send it */
export async function signKey(claims: KeyClaims, secret: string): Promise<string> {
  const body = new TextEncoder().encode(JSON.stringify(claims));
  const tag = await crypto.subtle.sign('HMAC', await hmacKey(secret), covered(body));
  const bytes = new Uint8Array(TAG_BYTES + body.length);
  bytes.set(new Uint8Array(tag));
  bytes.set(body, TAG_BYTES);
  return PREFIX + toBase64Url(bytes);
}

/** Checks form and tag, not expiry nor revocation. */
export async function verifyKey(key: string, secrets: readonly string[]): Promise<KeyCheck> {
  const bytes = key.startsWith(PREFIX) ? fromBase64Url(key.slice(PREFIX.length)) : undefined;
  if (bytes === undefined || bytes.length <= TAG_BYTES) return { ok: false, reason: 'malformed_key' };
  const tag = bytes.subarray(0, TAG_BYTES);
  const body = bytes.subarray(TAG_BYTES);
  for (const secret of secrets) {
    if (await crypto.subtle.verify('HMAC', await hmacKey(secret), tag, covered(body))) {
      // The tag vouches for the form: only signKey makes it.
      return { ok: true, claims: JSON.parse(new TextDecoder().decode(body)) as KeyClaims };
    }
  }
  return { ok: false, reason: 'invalid_key' };
}

function covered(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(CONTEXT.length + body.length);
  bytes.set(CONTEXT);
  bytes.set(body, CONTEXT.length);
  return bytes;
}

function hmacKey(secret: string) {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, [
    'sign',
    'verify',
  ]);
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]+$/.test(text)) return undefined;
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
  } catch {
    return undefined;
  }
}
