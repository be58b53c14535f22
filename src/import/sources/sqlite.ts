import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setMember } from '../../events/member.ts';
import { ImportError } from '../import-error.ts';
import { noTable } from './no-table.ts';
import { PAGE_ROWS, PAGE_SIZE, sizeOf, type Content, type Source, type SourceRow } from '../source.ts';
import { rowText } from '../row-text.ts';

/**
 * Opens a table of a SQLite database, read-only. It is read in pages of their own, in the order of rowids, so that the
 * app that owns it can go on writing.
 * @param table its name; the first of `candidates` that there is unless given
 * @throws ImportError when there is no such file or table
 */
export function openSqlite(path: string, table: string | undefined, candidates: readonly string[]): Source {
  const database = openFile(path);
  try {
    return describe(path, database, table, candidates);
  } catch (error) {
    database.close();
    throw error instanceof ImportError ? error : unreadable(path, error);
  }
}

function describe(
  path: string,
  database: DatabaseSync,
  table: string | undefined,
  candidates: readonly string[],
): Source {
  const name = chooseTable(database, table, candidates);
  const quoted = quote(name);
  const columns = columnsOf(database, name);
  const { count } = database.prepare(`SELECT count(*) AS count FROM ${quoted}`).get() as { count: number };
  return {
    columns: columns.map((column) => ({ name: column, isJson: false })),
    fingerprint: `sqlite ${realpathSync(path)} ${name}`,
    name: `${basename(path)}.${name}`,
    hasStablePlaces: hasRowidKey(database, name),
    // VACUUM may number rows anew, and keeps their order.
    canGoOn: true,
    total: count,
    pages: (from) =>
      pagesOf(database, quoted, columns, from === undefined ? LEAST_ROWID : BigInt(from[0] ?? 0)),
    close: async () => database.close(),
  };
}

/** How long an app that writes may hold the file. */
const LOCKED_MS = 30_000;

function openFile(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: LOCKED_MS });
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return database;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): ImportError {
  return new ImportError(`${path} cannot be read as a SQLite database: ${String(error)}.`, { cause: error });
}

function chooseTable(
  database: DatabaseSync,
  wanted: string | undefined,
  candidates: readonly string[],
): string {
  const rows = database
    .prepare(
      `SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
    )
    .all() as { name: string; wr: number }[];
  const names = new Set(rows.map(({ name }) => name));
  const found = (wanted === undefined ? candidates : [wanted]).find((name) => names.has(name));
  if (found === undefined) {
    const missing = wanted ?? candidates.join(' or ');
    throw noTable(missing || 'that the mapping names', [...names]);
  }
  if (rows.some(({ name, wr }) => name === found && wr === 1))
    throw new ImportError(
      `${found} is a table WITHOUT ROWID, which is not read. Export it as CSV and import that.`,
    );
  return found;
}

function columnsOf(database: DatabaseSync, table: string): string[] {
  return database
    .prepare('SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1')
    .all(table)
    .map(({ name }) => String(name));
}

/** Whether the rowid is a column of the table's own: an INTEGER PRIMARY KEY, which needs no index. */
function hasRowidKey(database: DatabaseSync, table: string): boolean {
  const key = database.prepare('SELECT type FROM pragma_table_info(?) WHERE pk > 0').all(table);
  const indexes = database.prepare("SELECT name FROM pragma_index_list(?) WHERE origin = 'pk'").all(table);
  return key.length === 1 && String(key[0]?.['type']).toUpperCase() === 'INTEGER' && indexes.length === 0;
}

type Values = Record<string, unknown>;

async function* pagesOf(
  database: DatabaseSync,
  table: string,
  columns: readonly string[],
  first: bigint,
): AsyncGenerator<SourceRow[]> {
  const list = columns.map(quote).join(', ');
  // A column of the table's own may be named rowid.
  const rowid = ['rowid', '_rowid_', 'oid'].find(
    (name) => !columns.some((column) => column.toLowerCase() === name),
  );
  if (rowid === undefined)
    throw new ImportError(`${table} hides its rowid behind columns of the same name. Export it as CSV.`);
  const page = database.prepare(
    `SELECT ${rowid} AS "daybook rowid", ${list} FROM ${table} WHERE ${rowid} >= ? ORDER BY ${rowid} LIMIT ${PAGE_ROWS}`,
  );
  page.setReadBigInts(true);
  const contentOf = contentReader(
    database,
    `SELECT ${columns.map(asBlob).join(', ')} FROM ${table} WHERE ${rowid} = ?`,
  );
  const count = database.prepare(`SELECT count(*) AS count FROM ${table} WHERE ${rowid} < ?`);
  let from = first;
  let done = Number(count.get(first)?.['count']);
  for (;;) {
    const rows: SourceRow[] = [];
    let size = 0;
    for (const found of page.iterate(from)) {
      const id = found['daybook rowid'] as bigint;
      // Copied one by one: what a rest pattern leaves is read more slowly ever after.
      const values: Values = {};
      for (const column of columns) setMember(values, column, found[column]);
      from = id + 1n;
      done += 1;
      size += sizeOf(values);
      rows.push({ place: { rowid: String(id) }, cursor: [String(id)], done, content: contentOf(id, values) });
      if (size >= PAGE_SIZE) break;
    }
    if (rows.length > 0) yield rows;
    if (rows.length === 0 || from > GREATEST_ROWID) return;
  }
}

const LEAST_ROWID = -(2n ** 63n);
const GREATEST_ROWID = 2n ** 63n - 1n;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** SQLite keeps texts of any bytes, and the driver puts U+FFFD where they are no UTF-8: then the bytes are looked at. */
function contentReader(database: DatabaseSync, query: string): (id: bigint, values: Values) => Content {
  const statement = database.prepare(query);
  return (id, values) => {
    if (!Object.values(values).some((value) => typeof value === 'string' && value.includes('\ufffd')))
      return { ok: true, values };
    const texts = Object.entries(statement.get(id) ?? {}).filter(([, value]) => value !== null);
    if (texts.every(([, value]) => value instanceof Uint8Array && isUtf8(value))) return { ok: true, values };
    const raw = rowText({ ...values, ...Object.fromEntries(texts) });
    const detail = 'A text of this row is not UTF-8; here are the bytes of all its texts.';
    return { ok: false, raw, flaws: [{ pointer: '', code: 'invalid_value', detail }] };
  };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function asBlob(column: string): string {
  return `CASE typeof(${quote(column)}) WHEN 'text' THEN CAST(${quote(column)} AS BLOB) END AS ${quote(column)}`;
}
