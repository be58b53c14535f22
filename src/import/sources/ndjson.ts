import { basename } from 'node:path';
import { readJson } from '../../events/json.ts';
import type { Flaw } from '../../events/flaw.ts';
import type { Content, Row, Source, SourceRow } from '../source.ts';
import { byteLines, type ByteLine } from './byte-lines.ts';
import { fileFingerprint } from './file-fingerprint.ts';
import { inPages } from './pages.ts';

/** Bytes of a line: more than any event may have, however it is written. */
const MAX_LINE_BYTES = 1024 * 1024;

/** Opens a file that has one JSON object on each line. @throws ImportError when it cannot be read */
export async function openNdjson(path: string): Promise<Source> {
  const { fingerprint, size } = await fileFingerprint(path);
  return {
    columns: undefined,
    fingerprint: `ndjson ${fingerprint}`,
    name: basename(path),
    hasStablePlaces: false,
    canGoOn: true,
    total: size,
    pages: (from) => inPages(rowsOf(path, Number(from?.[0] ?? 0)), sizeOfLine),
    close: async () => {},
  };
}

async function* rowsOf(path: string, start: number): AsyncGenerator<SourceRow> {
  for await (const line of byteLines(path, { start, limit: MAX_LINE_BYTES })) {
    if (isBlank(line.bytes)) continue;
    yield {
      place: { byte: String(line.start) },
      cursor: [String(line.start)],
      done: line.end,
      content: contentOf(line),
    };
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });
const lenient = new TextDecoder();

function contentOf({ bytes, isWhole }: ByteLine): Content {
  if (!isWhole) return unread(lenient.decode(bytes.subarray(0, 1024)), 'too_large', TOO_LONG);
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return unread(lenient.decode(bytes), 'invalid_value', 'This line is not UTF-8.');
  }
  const reading = readJson(text);
  if (!reading.ok) return unread(text, 'invalid_value', `This line is not JSON: ${reading.detail}`);
  if (reading.flaws.length > 0) return { ok: false, flaws: reading.flaws, raw: text };
  return isRow(reading.value)
    ? { ok: true, values: reading.value }
    : unread(text, 'wrong_type', 'This line is not a JSON object.');
}

const TOO_LONG = `A line may have ${MAX_LINE_BYTES} bytes; here is its beginning.`;

function unread(raw: string, code: Flaw['code'], detail: string): Content {
  return { ok: false, raw, flaws: [{ pointer: '', code, detail }] };
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.length < 64 && bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function sizeOfLine({ cursor, done }: SourceRow): number {
  return done - Number(cursor[0]);
}
