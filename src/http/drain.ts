import type { Context, MiddlewareHandler } from 'hono';
import { within } from './within.ts';

/** Bytes, and ms, of an unread body that are let pass. */
const MOST = 16 * 1024 * 1024;
const PATIENCE = 10_000;
/** ms for which the answer waits for that: a body that stalls is answered all the same. */
const BEFORE_ANSWER = 2000;

/**
 * Lets the body of a request that was answered before it was read pass, unkept: a connection that is closed while its client
 * still sends breaks before the client reads the answer.
 */
export function drainUnread(): MiddlewareHandler {
  return async function drainUnread(c: Context, next) {
    await next();
    const { body, bodyUsed } = c.req.raw;
    if (body === null || bodyUsed) return;
    const drained = drain(body);
    c.executionCtx.waitUntil(drained);
    await within(BEFORE_ANSWER, drained);
  };
}

async function drain(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  const deadline = Date.now() + PATIENCE;
  try {
    for (let left = MOST; left > 0;) {
      const piece = await within(deadline - Date.now(), reader.read());
      if (piece === undefined || piece.done) break;
      left -= piece.value.length;
    }
    // Not awaited: a body that stalls may stall this as well.
    reader.cancel().catch(() => {});
  } catch {
    // The client hung up, and has no use for an answer.
  }
}
