import { createHmac } from 'node:crypto';
import type { AppContext } from '../auth/context.ts';
import { canonical } from '../events/canonical.ts';
import { ProblemError } from '../http/problem.ts';

const HEADER = 'Idempotency-Key';
const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;
/** Hashes of bodies mean nothing as tags of API keys, which the same secret signs. */
const CONTEXT = 'daybook.idempotency-key.v1\n';

/**
 * The key under which a single event is to be stored once.
 * @param ack what the query asks for
 * @returns nothing when the header is absent
 * @throws ProblemError (400) when it is malformed, or when another ack than the committed one that it implies is asked for
 */
export function readIdempotencyKey(c: AppContext, ack: string | undefined): string | undefined {
  const key = c.req.header(HEADER);
  if (key === undefined) return undefined;
  if (!VISIBLE_ASCII.test(key)) {
    throw new ProblemError({
      code: 'invalid_idempotency_key',
      detail: `${HEADER} must be 1 to 255 visible ASCII characters, without spaces. Nothing was stored.`,
    });
  }
  if (ack !== undefined && ack !== 'committed') {
    throw new ProblemError({
      code: 'invalid_query',
      detail: `${HEADER} implies ack=committed: ask for no other.`,
    });
  }
  return key;
}

/** @throws ProblemError (400) when a batch comes with the header, which would promise more than is kept */
export function refuseIdempotencyKey(c: AppContext): void {
  if (c.req.header(HEADER) === undefined) return;
  throw new ProblemError({
    code: 'invalid_idempotency_key',
    detail: `${HEADER} is for single events only. Give each event of a batch an id of its own: it is stored once then.`,
  });
}

/**
 * What tells one body from another: HMAC-SHA-256 of its canonical JSON (RFC 8785) under each secret, lower-case hex. A
 * plain hash would let whoever reads the table guess what redaction has removed.
 * @param body a value that `readJson` read without flaws and `measure` let through
 * @param secrets the one in use first; the others' hashes recognise bodies of before a rotation
 */
export function hashBody(body: unknown, secrets: readonly string[]): string[] {
  const text = canonical(body);
  return secrets.map((secret) => createHmac('sha256', secret).update(CONTEXT).update(text).digest('hex'));
}
