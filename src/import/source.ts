import type { Flaw } from '../events/flaw.ts';

/** Where a row is: the values of a key, or a byte offset. Of one source only. */
export type Cursor = readonly string[];

/** A row of a table, a record of a CSV file or a line of an NDJSON file. */
export interface SourceRow {
  /** where it stands, for people */
  place: Readonly<Record<string, string>>;
  cursor: Cursor;
  /** how much of `total` lies behind, this row included */
  done: number;
  content: Content;
}

export type Content =
  | { ok: true; values: Row }
  /** no row can be read there */
  | { ok: false; flaws: Flaw[]; raw: string };

/** By the names of its columns; of NDJSON the event as sent. What is NULL is null. */
export type Row = Readonly<Record<string, unknown>>;

export interface Column {
  name: string;
  /** its texts are JSON by type */
  isJson: boolean;
}

/** What an import reads from. */
export interface Source {
  /** nothing of NDJSON, whose lines are events already */
  columns: readonly Column[] | undefined;
  /** tells one source from another across runs; holds no password */
  fingerprint: string;
  /** of the file or database, and of the table: for the name of a file */
  name: string;
  /** whether a row's place is the same for ever: a key's, not what an edit or VACUUM moves */
  hasStablePlaces: boolean;
  /** whether rows that were read stay behind a cursor, and the others before it */
  canGoOn: boolean;
  /** rows, or bytes of a file; about */
  total: number;
  /** Rows in one order, in pages of bounded size, beginning with that at a cursor. */
  pages(from: Cursor | undefined): AsyncIterable<SourceRow[]>;
  close(): Promise<void>;
}

/** Rows that a page holds at most. */
export const PAGE_ROWS = 1000;
/** A page ends when its values hold more: UTF-16 units or bytes, about. */
export const PAGE_SIZE = 4 * 1024 * 1024;

/** About how much memory the values of a row take. */
export function sizeOf(values: Row): number {
  let size = 0;
  for (const value of Object.values(values)) {
    if (typeof value === 'string' || value instanceof Uint8Array) size += value.length;
  }
  return size;
}
