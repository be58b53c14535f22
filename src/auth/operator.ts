import { toBase64Url } from '../http/base64url.ts';

/** The operator's key: `dbo_` and 32 random bytes as base64url. The deployment knows only its SHA-256. */
const PREFIX = 'dbo_';

export function isOperatorKey(key: string): boolean {
  return key.startsWith(PREFIX);
}

/** @returns a new operator key */
export function makeOperatorKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return PREFIX + toBase64Url(bytes);
}

/** SHA-256 as lower-case hex, as `DAYBOOK_OPERATOR_KEY_HASHES` holds it. */
export async function hashOperatorKey(key: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Comparing hashes leaks nothing of the key: whoever times it can choose no useful prefix of a SHA-256. */
export async function verifyOperatorKey(key: string, hashes: readonly string[]): Promise<boolean> {
  return hashes.includes(await hashOperatorKey(key));
}
