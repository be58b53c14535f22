import pg from 'pg';
import { ImportError } from '../import-error.ts';
import {
  PAGE_ROWS,
  PAGE_SIZE,
  sizeOf,
  type Column,
  type Cursor,
  type Source,
  type SourceRow,
} from '../source.ts';
import { describeTable, type KeyColumn, type Table } from './postgres-table.ts';

/**
 * Opens a table of a Postgres database. It is read in one read-only transaction, as it is at that moment, in the order of
 * its key: the primary key, another unique one, or where rows lie.
 * @param table its name; the first of `candidates` that there is unless given
 * @throws ImportError when the server or the table is not there
 */
export async function openPostgres(
  url: string,
  table: string | undefined,
  candidates: readonly string[],
): Promise<Source> {
  const client = await connect(url);
  const described = await describeTable(client, table, candidates).catch(async (error: unknown) => {
    await client.end();
    if (error instanceof ImportError) throw error;
    throw new ImportError(`The table cannot be read: ${messageOf(error)}.`, { cause: error });
  });
  const { host, port, database } = client;
  return {
    columns: described.columns,
    fingerprint: `postgres ${host}:${port}/${database} ${described.name}`,
    name: `${database}.${described.name}`,
    hasStablePlaces: described.hasKey,
    // Rows move to where others were deleted, before the cursor too.
    canGoOn: described.hasKey,
    total: described.count,
    pages: (from) => pagesOf(client, described, from),
    close: async () => {
      await client.end();
    },
  };
}

/** Times and JSON as the server prints them; numbers and booleans as what they are. */
const PARSED = new Map<number, (text: string) => unknown>([
  [pg.types.builtins.BOOL, (text) => text === 't'],
  [pg.types.builtins.INT2, Number],
  [pg.types.builtins.INT4, Number],
  [pg.types.builtins.INT8, BigInt],
  [pg.types.builtins.FLOAT4, Number],
  [pg.types.builtins.FLOAT8, Number],
]);

const asText = (text: string) => text;

async function connect(url: string): Promise<pg.Client> {
  let client: pg.Client | undefined;
  try {
    client = new pg.Client({
      connectionString: url,
      application_name: 'daybook import',
      connectionTimeoutMillis: 20_000,
      // While rows are stored nothing is said on it.
      keepAlive: true,
      types: { getTypeParser: (oid: number) => PARSED.get(oid) ?? asText },
    });
    // A connection that breaks between two pages fails the next one.
    client.on('error', () => {});
    await client.connect();
    // Of the transaction, so that a pooler between us may be one of transactions.
    await client.query(
      `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD';
       SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL statement_timeout = 0;
       SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL row_security = off`,
    );
    return client;
  } catch (error) {
    // An open one would keep the command from ending.
    await client?.end().catch(() => {});
    // The message holds no password.
    throw new ImportError(`The source database does not let us in: ${messageOf(error)}. Check --from.`, {
      cause: error,
    });
  }
}

/** Of a size that is not known yet. */
const FIRST_ROWS = 16;

async function* pagesOf(
  client: pg.Client,
  table: Table,
  from: Cursor | undefined,
): AsyncGenerator<SourceRow[]> {
  const { key, columns } = table;
  let done = await read(declare(client, table, from));
  let rows = FIRST_ROWS;
  for (;;) {
    const page = await read(
      client.query<unknown[]>({ text: `FETCH FORWARD ${rows} FROM daybook_import`, rowMode: 'array' }),
    );
    if (page.rows.length === 0) return;
    let size = 0;
    yield page.rows.map((row): SourceRow => {
      const values = valuesOf(columns, row);
      const cursor = row.slice(columns.length).map(String);
      size += sizeOf(values);
      done += 1;
      return { place: placeOf(key, cursor), cursor, done, content: { ok: true, values } };
    });
    // Rows may be of any size: the next page is as large as this one lets expect, and grows step by step.
    rows = Math.max(1, Math.min(PAGE_ROWS, rows * 2, Math.floor((rows * PAGE_SIZE) / Math.max(1, size))));
  }
}

/** @throws ImportError for whatever the server or the connection says */
async function read<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const broke = `The source database broke off: ${messageOf(error)}.`;
    throw new ImportError(`${broke} Run the same command again: nothing is stored twice.`, {
      cause: error,
    });
  }
}

/** @returns how many rows lie before */
async function declare(client: pg.Client, table: Table, from: Cursor | undefined): Promise<number> {
  const keys = table.key.map(({ sql }) => sql).join(', ');
  const bound = table.key.map(({ type }, index) => `$${index + 1}::text::${type}`).join(', ');
  const where = from === undefined ? '' : `WHERE (${keys}) >= (${bound})`;
  const list = [...table.columns.map(({ sql }) => sql), ...table.key.map(({ sql }) => `${sql}::text`)];
  const values = [...(from ?? [])];
  let before = 0;
  if (from !== undefined) {
    const { rows } = await client.query(
      `SELECT count(*) AS rest FROM ${table.name} AS source ${where}`,
      values,
    );
    before = Math.max(0, table.count - Number(rows[0]?.rest));
  }
  await client.query(
    `DECLARE daybook_import NO SCROLL CURSOR FOR SELECT ${list.join(', ')} FROM ${table.name} AS source ${where} ORDER BY ${keys}`,
    values,
  );
  return before;
}

function valuesOf(columns: readonly Column[], row: readonly unknown[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [index, { name }] of columns.entries()) values[name] = row[index];
  return values;
}

function placeOf(key: readonly KeyColumn[], cursor: Cursor): Record<string, string> {
  return Object.fromEntries(key.map(({ name }, index) => [name, cursor[index] ?? '']));
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses of one host that all fail have no message of their own.
  return error.message !== '' || !('code' in error) ? error.message : String(error.code);
}
