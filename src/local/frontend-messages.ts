import type { Socket } from 'node:net';

const sync = 'S'.charCodeAt(0);
const query = 'Q'.charCodeAt(0);
const terminate = 'X'.charCodeAt(0);

/**
 * Reads what a Postgres client sends and yields it in units that the server answers with one ReadyForQuery:
 * the startup message, a simple query, or everything up to a Sync. Ends at Terminate or end of stream.
 */
export async function* frontendMessages(socket: Socket): AsyncGenerator<Buffer> {
  let buffer: Buffer = Buffer.alloc(0);
  let chunks: Buffer[] = [];
  let received = 0;
  /** Start of the message not yet complete, and the bytes needed to see its header, then its end. */
  let offset = 0;
  let started = false;
  let needed = 4;
  for await (const chunk of socket) {
    chunks.push(chunk);
    received += chunk.length;
    // Joining only once a message is complete keeps a large one from being copied for every chunk.
    if (received < needed) continue;
    buffer = Buffer.concat(chunks);
    for (;;) {
      // Only the startup message has no type byte.
      const typeBytes = started ? 1 : 0;
      needed = offset + typeBytes + 4;
      if (buffer.length < needed) break;
      needed = offset + typeBytes + buffer.readInt32BE(offset + typeBytes);
      if (buffer.length < needed) break;
      const type = started ? buffer[offset] : undefined;
      if (type === terminate) return;
      offset = needed;
      if (!started || type === sync || type === query) {
        started = true;
        yield buffer.subarray(0, offset);
        buffer = buffer.subarray(offset);
        offset = 0;
      }
    }
    chunks = [buffer];
    received = buffer.length;
  }
}
