import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ImportRequest } from '../../src/import/open-import.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { makeSharedDatabase, type SharedDatabase } from '../support/shared-server.ts';
import { THOROUGH } from '../support/thorough.ts';
import { digestOf, importInto, scratch } from './run.ts';
import { CASES, rowsOf, type SourceCase } from './sources/cases.ts';
import { fillPostgres, fillSqlite } from './sources/fill.ts';

const COUNT = THOROUGH ? 100_000 : 2000;

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase('postgres');
});
afterAll(() => database.close());

const opened: SharedDatabase[] = [];
afterAll(() => Promise.all(opened.map((source) => source.drop())));

/** Makes the source; @returns what the command is told of it */
async function make(source: SourceCase, rows: ReturnType<typeof rowsOf>['rows']): Promise<string> {
  if (source.engine === 'sqlite') {
    const path = join(await scratch(), 'app.db');
    fillSqlite(path, source.ddl, source.table, rows);
    return path;
  }
  const made = await makeSharedDatabase();
  opened.push(made);
  const { user, password, database: name } = made.superuser;
  const url = `postgres://${user}:${password}@127.0.0.1:${made.port}/${name}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await fillPostgres(client, source.ddl, source.table, rows);
  await client.end();
  return url;
}

describe.each(CASES.map((source, index) => ({ ...source, index })))('$title', (source) => {
  test(
    'is imported whole: every row is stored or rejected, and again the same',
    { timeout: 600_000 },
    async () => {
      const { rows, invalid } = rowsOf(source, COUNT);
      const workspaces = source.preset === 'workspace' ? ['ws-0', 'ws-1', 'ws-2'] : [`s${source.index}`];
      const request: ImportRequest = { from: await make(source, rows), preset: source.preset };
      if (source.preset !== 'workspace') request.workspace = workspaces[0];

      const first = await importInto(database, request);
      const rejected = new Set(first.rejects.map(({ row, raw }) => JSON.stringify(row?.[source.id] ?? raw)));
      const expected = [...invalid].map((n) => rows[n]?.[source.id]);
      expect(first.rejects.filter(({ reasons }) => reasons.length === 0)).toEqual([]);
      expect(rejected.size).toBe(new Set(expected.map(String)).size);
      expect(first.report).toMatchObject({
        read: COUNT,
        stored: COUNT - invalid.size,
        already: 0,
        rejected: invalid.size,
      });

      const stored = await digestOf(database, workspaces);
      expect(stored).toMatchObject({ events: COUNT - invalid.size, pending: COUNT - invalid.size });

      const second = await importInto(database, request);
      expect(second.report).toEqual({ ...first.report, stored: 0, already: first.report.stored });
      expect(second.rejects).toEqual(first.rejects);
      expect(await digestOf(database, workspaces)).toEqual(stored);
    },
  );
});
