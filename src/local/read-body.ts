import type { IncomingMessage } from 'node:http';
import { InvalidRequest } from './invalid-request.ts';

const contentTooLarge = 413;

/**
 * Reads a body whole. One that is too large is read to its end all the same, but not kept: a client that is
 * still sending would never see the answer.
 *
 * @throws InvalidRequest with status 413
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (length > maxBytes) {
    throw new InvalidRequest(`request is too large (max is ${maxBytes} bytes)`, contentTooLarge);
  }
  return Buffer.concat(chunks, length);
}

/** Reads until half of the body that the head announces has come, and leaves the rest and the connection as they are. */
export async function readHalf(request: IncomingMessage): Promise<void> {
  const half = Number(request.headers['content-length'] ?? 0) / 2;
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length >= half) return;
  }
}
