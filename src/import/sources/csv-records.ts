import type { Buffer } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { parse, type Options } from 'csv-parse';
import { byteLines } from './byte-lines.ts';

/** Bytes of a record: a quote that is never closed must not take the rest of the file. */
export const MAX_RECORD_BYTES = 1024 * 1024;
/** Bytes that are parsed at a time, and so what a page holds at most, about. */
const CHUNK_BYTES = 128 * 1024;

/** A record as bytes (latin1), where it begins and where the next one does. */
export interface CsvRecord {
  values: (string | null)[];
  start: number;
  end: number;
}

/** Records from an offset on, in pieces; `broken` is the parser's code where the next one cannot be read. */
export async function* recordsOf(
  path: string,
  start: number,
): AsyncGenerator<{ records: CsvRecord[]; broken: string | undefined }> {
  const records: CsvRecord[] = [];
  let end = start;
  let broken: string | undefined;
  const options: Options = {
    // Bytes, which are text only once they prove to be UTF-8.
    encoding: 'latin1',
    // Both, wherever reading begins: the parser would take the first that it meets.
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD_BYTES,
    skip_records_with_error: true,
    cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
    on_record: (values: (string | null)[], { bytes }) => {
      if (broken !== undefined) return null;
      records.push({ values, start: end, end: start + bytes });
      end = start + bytes;
      // Kept here: nothing waits in the parser's own buffer.
      return null;
    },
    on_skip: (error) => {
      broken ??= error?.code ?? 'unknown';
      return undefined;
    },
  };
  const parser = parse(options);
  parser.resume();
  for await (const chunk of createReadStream(path, {
    start,
    highWaterMark: CHUNK_BYTES,
  }) as AsyncIterable<Buffer>) {
    await new Promise<void>((resolve, reject) => {
      parser.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
    yield { records: records.splice(0), broken };
    if (broken !== undefined) return;
  }
  await new Promise<void>((resolve) => {
    parser.end(resolve);
  });
  yield { records: records.splice(0), broken };
}

/** The line at which a record begins that cannot be read. */
export interface FirstLine {
  start: number;
  end: number;
  text: string;
  isWhole: boolean;
}

/** The first line from an offset on that is not blank. */
export async function firstLine(path: string, start: number): Promise<FirstLine | undefined> {
  for await (const { bytes, ...line } of byteLines(path, { start, limit: MAX_RECORD_BYTES })) {
    if (bytes.length > 0) return { ...line, text: new TextDecoder().decode(bytes) };
  }
  return undefined;
}

const [QUOTE, COMMA, RETURN, NEWLINE] = [0x22, 0x2c, 0x0d, 0x0a];

/**
 * Where the record ends that begins at an offset, however long it is: at the first line break outside of quotes.
 * Nothing where the quotes are not those of a record, or never close.
 */
export async function endOfRecord(path: string, start: number): Promise<number | undefined> {
  let offset = start;
  let isQuoted = false;
  /** after a quote within quotes, which closes them or stands for one */
  let isClosing = false;
  let isAtStart = true;
  for await (const chunk of createReadStream(path, { start }) as AsyncIterable<Buffer>) {
    for (const [place, byte] of chunk.entries()) {
      if (isClosing) {
        isClosing = false;
        if (byte === QUOTE) continue;
        if (byte !== COMMA && byte !== RETURN && byte !== NEWLINE) return undefined;
        isQuoted = false;
      }
      if (isQuoted) {
        isClosing = byte === QUOTE;
        continue;
      }
      if (byte === NEWLINE) return offset + place + 1;
      if (byte === QUOTE && !isAtStart) return undefined;
      isQuoted = byte === QUOTE;
      isAtStart = byte === COMMA;
    }
    offset += chunk.length;
  }
  return isQuoted && !isClosing ? undefined : offset;
}
