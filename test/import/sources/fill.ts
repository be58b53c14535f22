import { writeFile } from 'node:fs/promises';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type pg from 'pg';

/** A row of a source, by column. */
export type Values = Record<string, SQLInputValue>;

/** Makes a SQLite database of rows. */
export function fillSqlite(path: string, ddl: string, table: string, rows: readonly Values[]): void {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA foreign_keys = off; PRAGMA journal_mode = wal');
  database.exec(ddl);
  database.exec('BEGIN');
  const columns = Object.keys(rows[0] ?? {});
  const marks = columns.map(() => '?').join(', ');
  const insert = database.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${marks})`);
  for (const row of rows) insert.run(...columns.map((column) => row[column] ?? null));
  database.exec('COMMIT');
  database.close();
}

/** Makes a table of rows in Postgres; every value goes there as text. */
export async function fillPostgres(
  client: pg.Client,
  ddl: string,
  table: string,
  rows: readonly Values[],
): Promise<void> {
  await client.query(ddl);
  // Rows may be older than what they refer to.
  await client.query('SET session_replication_role = replica');
  const { rows: columns } = await client.query<{ name: string; type: string }>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
    [table],
  );
  const used = columns.filter(({ name }) => Object.hasOwn(rows[0] ?? {}, name));
  const names = used.map(({ name }) => name).join(', ');
  await client.query(
    `INSERT INTO ${table} (${names}) OVERRIDING SYSTEM VALUE
     SELECT ${used.map(({ name, type }) => `u.${name}::${type}`).join(', ')}
     FROM unnest(${used.map((_, index) => `$${index + 1}::text[]`).join(', ')}) AS u (${names})`,
    used.map(({ name }) => rows.map((row) => (row[name] === null ? null : String(row[name])))),
  );
}

/** Writes a CSV file of rows, NULL as nothing. */
export async function fillCsv(path: string, rows: readonly Values[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {});
  const field = (value: Values[string] | undefined) =>
    value === null || value === undefined ? '' : `"${String(value).replaceAll('"', '""')}"`;
  const lines = rows.map((row) => columns.map((column) => field(row[column])).join(','));
  await writeFile(path, `${[columns.join(','), ...lines].join('\r\n')}\r\n`);
}

/** Writes a file that has a row's values, which are JSON, on each line. */
export async function fillNdjson(path: string, rows: readonly Values[]): Promise<void> {
  const member = ([name, value]: [string, Values[string]]) => `${JSON.stringify(name)}:${String(value)}`;
  const lines = rows.map((row) => `{${Object.entries(row).map(member).join(',')}}\n`);
  await writeFile(path, lines.join(''));
}
