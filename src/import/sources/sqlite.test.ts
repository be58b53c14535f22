import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { Source, SourceRow } from '../source.ts';
import { openSqlite } from './sqlite.ts';

const directory = await mkdtemp(join(tmpdir(), 'daybook-sqlite-'));
let files = 0;

function opened(sql: string, table?: string): Source {
  files += 1;
  const path = join(directory, `${files}.db`);
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  return openSqlite(path, table, ['t']);
}

async function read(source: Source, after?: readonly string[]): Promise<SourceRow[]> {
  const rows: SourceRow[] = [];
  for await (const page of source.pages(after)) rows.push(...page);
  return rows;
}

describe('a SQLite table', () => {
  test('gives every row once, those with the least and the greatest rowid too', async () => {
    const source = opened(
      `CREATE TABLE t (a); INSERT INTO t (rowid, a) VALUES (-9223372036854775808, 'first'), (0, 'x'), (9223372036854775807, 'last')`,
    );
    const rows = await read(source);
    expect(rows.map(({ content }) => content.ok && content.values['a'])).toEqual(['first', 'x', 'last']);
    expect(await read(source, rows[1]?.cursor)).toEqual(rows.slice(1));
  });

  test('is read in pages, and goes on with any row', async () => {
    const source = opened(
      `CREATE TABLE t (a);
       INSERT INTO t WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 1700) SELECT n FROM s`,
    );
    const rows = await read(source);
    expect(rows).toHaveLength(1700);
    expect(rows.at(-1)?.done).toBe(1700);
    expect(await read(source, rows[999]?.cursor)).toEqual(rows.slice(999));
  });

  test.each([
    ['a INTEGER PRIMARY KEY', true],
    ['a INTEGER PRIMARY KEY DESC', false],
    ['a INT PRIMARY KEY', false],
    ['a TEXT PRIMARY KEY', false],
    ['a INTEGER, b INTEGER, PRIMARY KEY (a, b)', false],
    ['a', false],
  ])('of (%s) has rows with places that stay: %s', (columns, isStable) => {
    expect(opened(`CREATE TABLE t (${columns})`).hasStablePlaces).toBe(isStable);
  });

  test('keeps integers past 2^53 as they are, and texts with NUL', async () => {
    const source = opened(
      `CREATE TABLE t (a, b); INSERT INTO t VALUES (9007199254740993, CAST(x'610062' AS TEXT))`,
    );
    const [row] = await read(source);
    expect(row?.content).toEqual({ ok: true, values: { a: 9007199254740993n, b: 'a\0b' } });
  });

  test('rejects a text that is not UTF-8 with its bytes, and not one that holds U+FFFD', async () => {
    const source = opened(
      `CREATE TABLE t (a); INSERT INTO t VALUES (CAST(x'61ff62' AS TEXT)), ('\ufffd'), ('fine')`,
    );
    const [bad, ...others] = await read(source);
    expect(bad?.content).toMatchObject({ ok: false, raw: '{"a":{"base64":"Yf9i"}}' });
    expect(others.every(({ content }) => content.ok)).toBe(true);
  });

  test('may have a column named rowid, and any other name', async () => {
    const source = opened(`CREATE TABLE t (rowid TEXT, "a ""b""" TEXT); INSERT INTO t VALUES ('r', 'v')`);
    const [row] = await read(source);
    expect(row?.content).toEqual({ ok: true, values: { rowid: 'r', 'a "b"': 'v' } });
  });

  test('that has no rowid is refused', () => {
    expect(() => opened('CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID')).toThrow('Export it as CSV');
  });

  test('that is not there is told with those that are', () => {
    expect(() => opened('CREATE TABLE one (a); CREATE TABLE two (a)')).toThrow(
      'no table t. Name one of these with --table: one, two',
    );
  });
});
