import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ImportRequest } from '../../src/import/open-import.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { makeSharedDatabase } from '../support/shared-server.ts';
import { THOROUGH } from '../support/thorough.ts';
import { digestOf, importInto, readRejects, scratch } from './run.ts';
import { rowsOf, type SourceCase } from './sources/cases.ts';
import { fillPostgres, fillSqlite } from './sources/fill.ts';

const COUNT = THOROUGH ? 100_000 : 2000;
const KILLS = THOROUGH ? 10 : 2;
const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;

/** Tests, for each of the sources, that an import is whole, and so is one that was killed and started again. */
export function describeImports(sources: readonly SourceCase[]): void {
  let whole: TestDatabase;
  let pieces: TestDatabase;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    [whole, pieces] = await Promise.all([startDatabase('postgres'), startDatabase('postgres')]);
  });
  afterAll(async () => {
    for (const close of closing) await close();
    await Promise.all([whole.close(), pieces.close()]);
  });

  describe.each(sources.map((source, index) => ({ ...source, index })))('$title', (source) => {
    const { rows, invalid } = rowsOf(source, COUNT);
    const workspaces = source.preset === 'workspace' ? ['ws-0', 'ws-1', 'ws-2'] : [`s${source.index}`];
    const request: ImportRequest = { from: '', preset: source.preset };
    if (source.preset !== 'workspace') request.workspace = workspaces[0];
    let first: Awaited<ReturnType<typeof importInto>>;
    let requests: number;
    beforeAll(async () => {
      request.from = await make(source, rows, closing);
    });

    test(
      'is imported whole: every row is stored or rejected, and again the same',
      { timeout: 600_000 },
      async () => {
        const begun = whole.endpoint.requests;
        first = await importInto(whole, request);
        requests = whole.endpoint.requests - begun;
        const rejected = new Set(
          first.rejects.map(({ row, raw }) => JSON.stringify(row?.[source.id] ?? raw)),
        );
        const expected = [...invalid].map((n) => rows[n]?.[source.id]);
        expect(first.rejects.filter(({ reasons }) => reasons.length === 0)).toEqual([]);
        expect(rejected.size).toBe(new Set(expected.map(String)).size);
        expect(first.report).toMatchObject({
          read: COUNT,
          stored: COUNT - invalid.size,
          already: 0,
          rejected: invalid.size,
        });

        const stored = await digestOf(whole, workspaces);
        expect(stored).toMatchObject({ events: COUNT - invalid.size, pending: COUNT - invalid.size });

        const second = await importInto(whole, request);
        expect(second.report).toEqual({ ...first.report, stored: 0, already: first.report.stored });
        expect(second.rejects).toEqual(first.rejects);
        expect(await digestOf(whole, workspaces)).toEqual(stored);
      },
    );

    test(
      'is imported the same when it is killed at random points and run again',
      { timeout: 600_000 },
      async () => {
        const rejects = join(await scratch(), 'rejects.ndjson');
        let interrupted = 0;
        for (let kill = 0; kill < KILLS; kill += 1) {
          const after = 1 + Math.floor((Math.random() * requests) / (KILLS * 0.6));
          await killed(pieces, after, kill % 2 === 0 ? 0 : Math.random() * 40, request, rejects);
          if (existsSync(`${rejects}.state`)) interrupted += 1;
        }
        const { code, out } = await start(pieces, request, rejects).ended;
        expect({ code, out }).toMatchObject({ code: 0 });
        expect(out).toMatch(new RegExp(`^read +${COUNT.toLocaleString('en-US')}\\b`, 'm'));
        expect(out).toMatch(new RegExp(`^rejected +${invalid.size.toLocaleString('en-US')}\\b`, 'm'));
        if (THOROUGH) expect(interrupted).toBeGreaterThan(0);

        expect(await readRejects(rejects)).toEqual(first.rejects);
        expect((await stat(rejects)).mode & 0o777).toBe(0o600);
        expect(existsSync(`${rejects}.state`)).toBe(false);
        expect(await digestOf(pieces, workspaces)).toEqual(await digestOf(whole, workspaces));
      },
    );
  });
}

/** Makes the source; @returns what the command is told of it */
async function make(
  source: SourceCase,
  rows: ReturnType<typeof rowsOf>['rows'],
  closing: (() => Promise<void>)[],
): Promise<string> {
  if (source.engine === 'sqlite') {
    const path = join(await scratch(), 'app.db');
    fillSqlite(path, source.ddl, source.table, rows);
    return path;
  }
  const made = await makeSharedDatabase();
  closing.push(() => made.drop());
  const { user, password, database: name } = made.superuser;
  const url = `postgres://${user}:${password}@127.0.0.1:${made.port}/${name}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await fillPostgres(client, source.ddl, source.table, rows);
  await client.end();
  return url;
}

/** Starts the command as it is typed. */
function start(into: TestDatabase, { from, preset, workspace }: ImportRequest, rejects: string) {
  const args = ['import', '--preset', String(preset), '--from', from, '--rejects', rejects];
  if (workspace !== undefined) args.push('--workspace', workspace);
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = {
    PATH,
    NODE_COMPILE_CACHE,
    DATABASE_URL: into.ownerUrl,
    DAYBOOK_LOCAL_DATABASE: into.endpoint.url.href,
  };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
  return { child, ended: once(child, 'close').then(() => ({ code: child.exitCode, out })) };
}

/** Runs the command and kills it some ms after it made so many requests. */
async function killed(
  into: TestDatabase,
  requests: number,
  ms: number,
  request: ImportRequest,
  rejects: string,
): Promise<void> {
  const { endpoint } = into;
  const begun = endpoint.requests;
  const { child, ended } = start(into, request, rejects);
  endpoint.intercept = ({ sequence }) => {
    if (sequence - begun === requests) setTimeout(() => child.kill('SIGKILL'), ms);
    return undefined;
  };
  await ended;
  endpoint.intercept = undefined;
}
