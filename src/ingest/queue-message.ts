import { joinRows } from '../db/append.ts';
import { utf8Length } from '../events/measure.ts';
import { chunksOf } from './chunks.ts';

/** What a queue carries: rows as text, or one row compressed that is too large for that. */
export interface QueueMessage {
  body: string | Uint8Array;
  contentType: 'text' | 'bytes';
  /** that the body takes at most */
  bytes: number;
  /** rows in it */
  rows: number;
}

/** Names the form of the message, so that a later one can be told apart, and how often its rows were tried before. */
const HEADER = /^daybook rows 1 tries (\d+)\n/;
const headerOf = (tries: number) => `daybook rows 1 tries ${tries}\n`;
/** Bytes; several rows share a message up to this. */
const SHARED_MAX = 100_000;
/**
 * Bytes; the platform takes 128,000. A row of an event of 64 KiB may have 132,000: twice as many where all of it is
 * quotes and backslashes, and then it can be compressed to a fraction.
 */
const PLAIN_MAX = 127_000;

/**
 * Puts rows into as few messages as may be, in order; what `joinRows` wrote of several goes in as one.
 * @param tries how often they were tried before
 */
export async function packRows(rows: readonly string[], tries = 0): Promise<QueueMessage[]> {
  const header = headerOf(tries);
  const most = { count: Infinity, bytes: SHARED_MAX - header.length };
  const sized = rows.map((row) => ({ row, bytes: utf8Length(row) + joinRows(['', '']).length }));
  const messages: QueueMessage[] = [];
  for (const chunk of chunksOf(sized, most, ({ bytes }) => ({ count: 1, bytes }))) {
    const bytes = chunk.reduce((sum, one) => sum + one.bytes, header.length);
    messages.push(
      await messageOf(
        header,
        chunk.map(({ row }) => row),
        bytes,
      ),
    );
  }
  return messages;
}

/** The body of a message as it arrives: text, bytes, or what another sender made of JSON. */
export function contentOf(body: unknown): string | Uint8Array<ArrayBuffer> {
  if (typeof body === 'string') return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (body instanceof Uint8Array) return new Uint8Array(body);
  try {
    return JSON.stringify(body) ?? String(body);
  } catch (error) {
    // A BigInt, or what refers to itself: not even the beginning of ours.
    if (error instanceof TypeError) return String(body);
    throw error;
  }
}

/** What a message of ours carries. */
export interface Opened {
  /** its rows, as `joinRows` writes them */
  joined: string;
  /** how often they were tried before, in messages that this one took the place of */
  tries: number;
}

/** @returns nothing where this is no message of ours */
export async function openMessage(body: unknown): Promise<Opened | undefined> {
  const content = contentOf(body);
  const text = typeof content === 'string' ? content : await decompress(content);
  const header = HEADER.exec(text?.slice(0, 64) ?? '');
  if (text === undefined || header === null) return undefined;
  return { joined: text.slice(header[0].length), tries: Number(header[1]) };
}

async function messageOf(header: string, rows: readonly string[], bytes: number): Promise<QueueMessage> {
  const text = header + joinRows(rows);
  if (bytes <= PLAIN_MAX) return { body: text, contentType: 'text', bytes, rows: rows.length };
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  const body = new Uint8Array(await new Response(stream).arrayBuffer());
  return { body, contentType: 'bytes', bytes: body.byteLength, rows: rows.length };
}

async function decompress(body: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  try {
    return await new Response(new Blob([body]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
  } catch (error) {
    // workerd and Node both tell of broken data so.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
