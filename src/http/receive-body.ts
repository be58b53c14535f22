import type { Context, MiddlewareHandler } from 'hono';
import { requireMediaType } from './body.ts';
import type { BodyBudget } from './body-budget.ts';
import { ProblemError } from './problem.ts';
import { within } from './within.ts';

/** ms that a body has to arrive */
const PATIENCE = 30_000;

export interface ReceiveBodyOptions {
  budget: BodyBudget;
  /** whose share of the budget the body takes */
  keyOf(c: Context): string;
  maxBytes: number;
  /** the subject of the message when there are more */
  what: string;
  mediaTypes: readonly string[];
  /** ms */
  patience?: number;
}

/**
 * Receives the body, for `c.req.arrayBuffer()` to find it there. What is refused by its headers or for want of memory is
 * refused before it is read; the memory is given back when the request is answered.
 * @throws ProblemError `too_large`, `unsupported_media_type`, `unavailable`, `request_timeout`
 */
export function receiveBody(options: ReceiveBodyOptions): MiddlewareHandler {
  const { budget, keyOf, maxBytes, what, mediaTypes, patience = PATIENCE } = options;
  const tooLarge = () =>
    new ProblemError({
      code: 'too_large',
      detail: `${what} may have ${maxBytes} bytes. Nothing was stored.`,
    });

  return async function receiveBody(c, next) {
    const length = contentLength(c);
    if (length !== undefined && length > maxBytes) throw tooLarge();
    requireMediaType(c, mediaTypes);
    let release = budget.reserve(keyOf(c), length ?? maxBytes);
    if (release === undefined) {
      throw new ProblemError({
        code: 'unavailable',
        detail: 'Too many bodies are being received. Nothing was stored: send it again.',
        retryAfter: 1,
      });
    }
    try {
      if (length !== undefined) {
        if ((await arrival(within(patience, c.req.arrayBuffer()))) === undefined) throw late();
      } else if (c.req.raw.body !== null) {
        const body = await receiveUnsized(c.req.raw.body);
        // It holds no more from now on than it has.
        release();
        release = budget.reserve(keyOf(c), body.length);
        c.req.raw = new Request(c.req.raw, { body, method: c.req.method });
      }
      await next();
    } finally {
      release?.();
    }
  };

  /** A body that does not say its length. While it arrives it holds the memory that the route grants at most. */
  async function receiveUnsized(body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
    const reader = body.getReader();
    const deadline = Date.now() + patience;
    // Grown by doubling: a piece may be as small as a byte.
    let received = new Uint8Array(Math.min(maxBytes, 16_384));
    let size = 0;
    for (;;) {
      const piece = await arrival(within(deadline - Date.now(), reader.read()));
      if (piece?.done === true) return received.subarray(0, size);
      const end = size + (piece?.value.length ?? 0);
      if (piece === undefined || end > maxBytes) {
        // Not awaited: a body that stalls may stall this as well.
        reader.cancel().catch(() => {});
        throw piece === undefined ? late() : tooLarge();
      }
      if (end > received.length) {
        const grown = new Uint8Array(Math.min(maxBytes, Math.max(end, 2 * received.length)));
        grown.set(received.subarray(0, size));
        received = grown;
      }
      received.set(piece.value, size);
      size = end;
    }
  }
}

/** @returns nothing when the body does not say its length, or not reliably */
function contentLength(c: Context): number | undefined {
  const header = c.req.header('Content-Length');
  return header === undefined || c.req.header('Transfer-Encoding') !== undefined ? undefined : Number(header);
}

/** A connection that breaks within the body is a body that never arrived. Nobody hears the answer. */
async function arrival<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch {
    throw late();
  }
}

function late(): ProblemError {
  return new ProblemError({
    code: 'request_timeout',
    detail: 'The body did not arrive in time. Nothing was stored: send it again.',
  });
}
