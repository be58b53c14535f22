import { Buffer } from 'node:buffer';
import { basename } from 'node:path';
import { ImportError } from '../import-error.ts';
import { PAGE_ROWS, type Content, type Source, type SourceRow } from '../source.ts';
import {
  endOfRecord,
  firstLine,
  MAX_RECORD_BYTES,
  recordsOf,
  type CsvRecord,
  type FirstLine,
} from './csv-records.ts';
import { fileFingerprint } from './file-fingerprint.ts';

/**
 * Opens a CSV file (RFC 4180, UTF-8) whose first record names the columns. A value without quotes and characters is NULL,
 * as COPY writes it.
 * @throws ImportError when it cannot be read or has no such record
 */
export async function openCsv(path: string): Promise<Source> {
  const { fingerprint, size, begin } = await fileFingerprint(path);
  const { names, end } = await readHeader(path, begin);
  return {
    columns: names.map((name) => ({ name, isJson: false })),
    fingerprint: `csv ${fingerprint}`,
    name: basename(path),
    hasStablePlaces: false,
    canGoOn: true,
    total: size,
    pages: (from) => pagesOf(path, names, Number(from?.[0] ?? end)),
    close: async () => {},
  };
}

async function readHeader(path: string, begin: number): Promise<{ names: string[]; end: number }> {
  for await (const { records, broken } of recordsOf(path, begin)) {
    const [first] = records;
    if (first === undefined && broken === undefined) continue;
    const names = first?.values.map((value) => decode(value ?? '')) ?? [];
    const flawed = names.find((name) => name === undefined || name === '');
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (first === undefined || flawed !== undefined || names.includes(undefined) || twice !== undefined)
      throw new ImportError(`The first line of ${path} must name each column, each once, in UTF-8.`);
    return { names: names.filter((name) => name !== undefined), end: first.end };
  }
  throw new ImportError(`${path} is empty: its first line must name the columns.`);
}

async function* pagesOf(path: string, names: readonly string[], start: number): AsyncGenerator<SourceRow[]> {
  let from = start;
  for (;;) {
    let failure: string | undefined;
    for await (const { records, broken } of recordsOf(path, from)) {
      for (let at = 0; at < records.length; at += PAGE_ROWS) {
        yield records
          .slice(at, at + PAGE_ROWS)
          .map((record) => rowOf(record, contentOf(names, record.values)));
      }
      from = records.at(-1)?.end ?? from;
      failure = broken;
    }
    if (failure === undefined) return;
    const line = await firstLine(path, from);
    if (line === undefined) return;
    // What stands in a value that is too large must not be taken for records.
    const recordEnd = failure === 'CSV_MAX_RECORD_SIZE' ? await endOfRecord(path, line.start) : undefined;
    from = recordEnd ?? line.end;
    const record = { start: line.start, end: from, values: [] };
    yield [rowOf(record, unread(line, recordEnd === undefined ? NOT_CSV : TOO_LARGE))];
  }
}

const NOT_CSV =
  'This record is no CSV: a quote stands within a value, or is never closed. Reading goes on with the next line.';
const TOO_LARGE = `This record has more than ${MAX_RECORD_BYTES} bytes. Here is the beginning of its first line.`;

function unread({ text, isWhole }: FirstLine, detail: string): Content {
  const cut = isWhole || detail === TOO_LARGE ? '' : ' Here is the beginning of this one.';
  const code = detail === TOO_LARGE ? 'too_large' : 'invalid_value';
  return { ok: false, raw: text, flaws: [{ pointer: '', code, detail: `${detail}${cut}` }] };
}

function rowOf({ start, end }: CsvRecord, content: Content): SourceRow {
  return { place: { byte: String(start) }, cursor: [String(start)], done: end, content };
}

function contentOf(names: readonly string[], values: readonly (string | null)[]): Content {
  const texts = values.map((value) => (value === null ? null : decode(value)));
  if (texts.length !== names.length || texts.includes(undefined)) {
    const detail =
      texts.length === names.length
        ? 'A value of this record is not UTF-8.'
        : `This record has ${texts.length} values, and the first line names ${names.length} columns.`;
    const raw = JSON.stringify(values.map((value) => (value === null ? null : (decode(value) ?? value))));
    return { ok: false, raw, flaws: [{ pointer: '', code: 'invalid_value', detail }] };
  }
  return { ok: true, values: Object.fromEntries(names.map((name, index) => [name, texts[index] ?? null])) };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ASCII = /^[\0-\x7f]*$/;

/** The text of bytes, or nothing. */
function decode(bytes: string): string | undefined {
  if (ASCII.test(bytes)) return bytes;
  try {
    return decoder.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}
