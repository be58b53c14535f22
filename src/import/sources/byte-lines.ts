import { Buffer } from 'node:buffer';
import { createReadStream } from 'node:fs';

/** A line of a file, without its end. */
export interface ByteLine {
  /** offset in bytes */
  start: number;
  /** where the next line begins */
  end: number;
  /** of a line that is longer than the limit, its beginning */
  bytes: Uint8Array;
  isWhole: boolean;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Reads a file line by line from an offset; lines end with LF or CRLF, the last one with the file. Memory is bounded by
 * the limit and a piece of the file.
 * @param limit bytes of a line
 * @param chunkBytes how large the pieces are that are read
 */
export async function* byteLines(
  path: string,
  { start, limit, chunkBytes = 256 * 1024 }: { start: number; limit: number; chunkBytes?: number },
): AsyncGenerator<ByteLine> {
  let offset = start;
  let kept: Buffer[] = [];
  let length = 0;
  const take = (piece: Buffer, ended: boolean): ByteLine => {
    const whole =
      kept.length === 0
        ? piece
        : Buffer.concat([...kept, piece.subarray(0, Math.max(0, limit - heldBytes(kept)))]);
    const total = length + piece.length;
    const line = {
      start: offset,
      end: offset + total + (ended ? 1 : 0),
      bytes: withoutReturn(whole.subarray(0, limit)),
      isWhole: total <= limit,
    };
    offset = line.end;
    kept = [];
    length = 0;
    return line;
  };
  for await (const chunk of createReadStream(path, {
    start,
    highWaterMark: chunkBytes,
  }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      yield take(chunk.subarray(from, at), true);
      from = at + 1;
    }
    const rest = chunk.subarray(from);
    if (length < limit && rest.length > 0) kept.push(rest.subarray(0, limit - length));
    length += rest.length;
  }
  if (length > 0) yield take(Buffer.alloc(0), false);
}

function heldBytes(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === RETURN ? line.subarray(0, -1) : line;
}
