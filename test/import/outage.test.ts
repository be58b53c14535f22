import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, afterAll, expect, test } from 'vitest';
import { ImportError } from '../../src/import/import-error.ts';
import type { Fault } from '../../src/local/fault.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { digestOf, importInto, scratch } from './run.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase('postgres');
});
afterEach(() => {
  database.endpoint.intercept = undefined;
});
afterAll(() => database.close());

/** Of the past, so that a partition has to be made. */
async function events(year: number): Promise<string> {
  const path = join(await scratch(), 'events.ndjson');
  const event = { action: 'a.b', actor: { type: 'system' }, target: { type: 't' } };
  const lines = Array.from({ length: 700 }, (_, n) =>
    JSON.stringify({ ...event, created_at: `${year}-02-01T00:00:00Z`, metadata: { n } }),
  );
  await writeFile(path, lines.join('\n'));
  return path;
}

/** Fails the first calls of a query that holds a text. @returns how many failed */
function failing(text: string, fault: Fault, times: number): () => number {
  let failed = 0;
  database.endpoint.intercept = ({ statements }) => {
    if (failed === times || !statements.some(({ query }) => query.includes(text))) return undefined;
    failed += 1;
    return fault;
  };
  return () => failed;
}

test.each<[string, Fault, number]>([
  ['audit.make_partition', { kind: 'refuse' }, 2011],
  ['audit.make_partition', { kind: 'reset-after-commit' }, 2012],
  ['audit.make_partition', { kind: 'error-after-commit' }, 2013],
  ['INTO audit.workspaces', { kind: 'unavailable' }, 2014],
  ['audit.append_rows', { kind: 'reset-after-commit' }, 2015],
])('a short outage at %s (%j) is waited for', async (text, fault, year) => {
  const workspace = `outage-${year}`;
  const failed = failing(text, fault, 2);
  const { report } = await importInto(database, { from: await events(year), workspace });
  expect(failed()).toBe(2);
  expect(report).toMatchObject({ read: 700, rejected: 0 });
  expect(await digestOf(database, [workspace])).toMatchObject({ events: 700 });
});

test('what the database refuses is told, and what to do', async () => {
  const from = await events(2017);
  failing('audit.make_partition', { kind: 'error-after-commit', error: { code: '42501' } }, 1);
  const error: unknown = await importInto(database, { from, workspace: 'refused' }).catch(
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ImportError);
  expect(String(error)).toContain('SQLSTATE 42501');
  expect(String(error)).toContain('the same command again');
});

test('statistics that cannot be made end no import', async () => {
  const from = await events(2016);
  await importInto(database, { from, workspace: 'analyse' });
  const failed = failing('ANALYZE', { kind: 'error-after-commit', error: { code: '42501' } }, 1);
  const { report } = await importInto(database, { from, workspace: 'analyse' });
  expect(failed()).toBe(1);
  expect(report).toMatchObject({ read: 700, already: 700 });
});
