import type { Context, MiddlewareHandler } from 'hono';
import type { Env } from '../env.ts';
import { SYSTEM_WORKSPACE } from '../events/own-event.ts';
import { ProblemError, type ProblemCode } from '../http/problem.ts';
import { ANY_WORKSPACE, verifyKey, type KeyClaims, type Scope } from './key.ts';
import { isOperatorKey, verifyOperatorKey } from './operator.ts';
import type { RateLimiter } from './rate-limit.ts';
import type { RevocationList } from './revocation.ts';

/** Who sends the request. */
export type Identity = { kind: 'key'; claims: KeyClaims } | { kind: 'operator' };

/** Verified keys of this isolate, oldest first: importing and checking an HMAC costs more than the rest of a request. */
const verified = new Map<string, KeyClaims>();
const VERIFIED_MAX = 1000;
/** Long enough for a key of 100 workspaces; longer ones are not hashed at all. */
const KEY_MAX_LENGTH = 24_576;

export interface Authenticator {
  env: Env;
  revocations: RevocationList;
  rate: RateLimiter;
}

/**
 * Lets a request pass when its key is good for `scope`, and puts its `identity` into the context. The operator's key is
 * good where `operator` says so: it administers, and reads one workspace at a time, but never writes events. Each request
 * counts for the rate limit of its key, and is refused beyond it before its body is read.
 */
export function authenticate(auth: Authenticator, scope: Scope | null, operator: boolean): MiddlewareHandler {
  return async function authenticate(c, next) {
    const key = bearerKey(c);
    if (isOperatorKey(key)) {
      if (!(await verifyOperatorKey(key, auth.env.DAYBOOK_OPERATOR_KEY_HASHES)))
        fail('invalid_key', 'This operator key is not valid.');
      if (!operator) fail('insufficient_scope', 'The operator key cannot do this. Use an API key.');
      await count(auth.rate, 'operator');
      c.set('identity', { kind: 'operator' } satisfies Identity);
      return next();
    }
    const claims = await verifiedClaims(key, auth.env);
    // For the log too, whatever else is wrong with the key.
    c.set('identity', { kind: 'key', claims } satisfies Identity);
    if (claims.expires !== undefined && claims.expires * 1000 <= Date.now()) {
      fail('expired_key', 'This API key has expired. Create another.');
    }
    const state = await auth.revocations.check(claims.id, (promise) => c.executionCtx.waitUntil(promise));
    if (state === 'revoked') fail('revoked_key', 'This API key was revoked. Create another.');
    if (scope === null) fail('insufficient_scope', 'This needs the operator key.');
    if (!claims.scopes.includes(scope))
      fail('insufficient_scope', `This needs a key with the scope ${scope}.`);
    if (state === 'unknown' && scope !== 'events:write') {
      throw new ProblemError({
        code: 'unavailable',
        detail: 'Whether this key was revoked cannot be checked right now. Try again.',
        retryAfter: 5,
      });
    }
    await count(auth.rate, claims.id);
    return next();
  };
}

/**
 * The workspace a request is about.
 * @param asked the workspace it names, if it names one
 * @returns the workspace, or why there is none
 */
export function resolveWorkspace(
  identity: Identity,
  asked: string | undefined,
): { ok: true; workspaceId: string } | { ok: false; reason: 'required' | 'forbidden' } {
  if (identity.kind === 'operator')
    return asked === undefined ? { ok: false, reason: 'required' } : { ok: true, workspaceId: asked };
  const { workspaces } = identity.claims;
  const [only] = workspaces;
  if (asked === undefined) {
    if (only === undefined || workspaces.length > 1 || only === ANY_WORKSPACE)
      return { ok: false, reason: 'required' };
    return { ok: true, workspaceId: only };
  }
  if (asked === ANY_WORKSPACE) return { ok: false, reason: 'forbidden' };
  const covered = workspaces.includes(asked) || (only === ANY_WORKSPACE && asked !== SYSTEM_WORKSPACE);
  return covered ? { ok: true, workspaceId: asked } : { ok: false, reason: 'forbidden' };
}

function bearerKey(c: Context): string {
  const header = c.req.header('Authorization');
  if (header === undefined) fail('missing_key', 'Send the header Authorization: Bearer <API key>.');
  const match = /^Bearer +([^ ]+) *$/i.exec(header);
  if (match?.[1] === undefined || match[1].length > KEY_MAX_LENGTH) {
    fail('malformed_key', 'The Authorization header must be: Bearer <API key>.');
  }
  return match[1];
}

async function verifiedClaims(key: string, env: Env): Promise<KeyClaims> {
  const known = verified.get(key);
  if (known !== undefined) return known;
  const check = await verifyKey(key, env.DAYBOOK_KEY_SECRET);
  if (!check.ok) {
    const detail =
      check.reason === 'malformed_key'
        ? 'API keys begin with dbk_. Send the whole key.'
        : 'No deployment with these secrets issued this key.';
    fail(check.reason, detail);
  }
  if (verified.size >= VERIFIED_MAX) {
    const [oldest] = verified.keys();
    if (oldest !== undefined) verified.delete(oldest);
  }
  verified.set(key, check.claims);
  return check.claims;
}

/** @throws ProblemError `rate_limited` */
async function count(rate: RateLimiter, keyId: string): Promise<void> {
  if (await rate.admits(keyId)) return;
  throw new ProblemError({
    code: 'rate_limited',
    detail:
      'This key sends more requests than this deployment allows. Nothing was done: wait, or send batches.',
    // The limiter does not tell when; its period is 10 seconds.
    retryAfter: 10,
  });
}

function fail(code: ProblemCode, detail: string): never {
  const unauthenticated = code !== 'insufficient_scope';
  throw new ProblemError({
    code,
    detail,
    ...(unauthenticated && { headers: { 'WWW-Authenticate': 'Bearer' } }),
  });
}
