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
import { fillCsv, fillNdjson, fillPostgres, fillSqlite } from './sources/fill.ts';

/** More than are under way at a time, so that there is a state to go on from. */
const COUNT = THOROUGH ? 100_000 : 5000;
const KILLS = THOROUGH ? 10 : 1;
/** Requests that a run which goes on makes at least. */
const REQUESTS_LEFT = THOROUGH ? 15 : 3;
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
    beforeAll(async () => {
      request.from = await make(source, rows, closing);
      first = await importInto(whole, request);
    }, 600_000);

    test(
      'is imported whole: every row is stored or rejected, and again the same',
      { timeout: 600_000 },
      async () => {
        expect(first.rejects.filter(({ reasons }) => reasons.length === 0)).toEqual([]);
        expect(first.rejects.map(({ row }) => idText(row?.[source.id])).sort()).toEqual(
          [...invalid].map((n) => idText(idOf(source, rows[n]))).sort(),
        );
        expect(first.report).toMatchObject({
          read: COUNT,
          stored: COUNT - invalid.size,
          already: 0,
          rejected: invalid.size,
        });

        const stored = await digestOf(whole, workspaces);
        expect(stored).toMatchObject({ events: COUNT - invalid.size, pending: COUNT - invalid.size });

        const second = await importInto(whole, request);
        expect(second.report).toEqual({
          ...first.report,
          stored: 0,
          already: first.report.stored,
          workspaces: first.report.workspaces.map((workspace) => ({ ...workspace, is_new: false })),
        });
        expect(second.rejects).toEqual(first.rejects);
        expect(await digestOf(whole, workspaces)).toEqual(stored);
      },
    );

    test(
      'is imported the same when it is killed at random points and run again',
      { timeout: 600_000 },
      async () => {
        const rejects = join(await scratch(), 'rejects.ndjson');
        const state = `${rejects}.state`;
        // A table without a key is begun anew.
        const hasState = !source.ddl.includes('PARTITION BY');
        for (let kill = 0; kill < KILLS; kill += 1) {
          const after = 2 + Math.floor(Math.random() * (REQUESTS_LEFT - 1));
          const isDue = kill === 0 && hasState ? () => existsSync(state) : (made: number) => made >= after;
          expect(await killed(pieces, isDue, request, rejects)).toBe('SIGKILL');
          expect(existsSync(state)).toBe(hasState);
        }
        const { code, out } = await start(pieces, request, rejects).ended;
        expect({ code, out }).toMatchObject({ code: 0 });
        expect(out).toMatch(new RegExp(`^read +${COUNT.toLocaleString('en-US')}\\b`, 'm'));
        expect(out).toMatch(new RegExp(`^rejected +${invalid.size.toLocaleString('en-US')}\\b`, 'm'));
        expect(out.includes('before the interruption')).toBe(hasState);

        expect(await readRejects(rejects)).toEqual(first.rejects);
        expect((await stat(rejects)).mode & 0o777).toBe(0o600);
        expect(existsSync(state)).toBe(false);
        expect(existsSync(`${rejects}.lock`)).toBe(false);
        expect(await digestOf(pieces, workspaces)).toEqual(await digestOf(whole, workspaces));
      },
    );
  });
}

function idOf(
  { engine, id }: SourceCase,
  row: ReturnType<typeof rowsOf>['rows'][number] | undefined,
): unknown {
  return engine === 'ndjson' ? JSON.parse(String(row?.[id])) : row?.[id];
}

/** The id of a rejected row, and that of the source's: bytes are base64 in one. */
function idText(id: unknown): string {
  if (id instanceof Uint8Array) return idText({ base64: Buffer.from(id).toString('base64') });
  return typeof id === 'object' ? JSON.stringify(id) : String(id);
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
  if (source.engine === 'csv' || source.engine === 'ndjson') {
    const path = join(await scratch(), `old.${source.engine}`);
    await (source.engine === 'csv' ? fillCsv : fillNdjson)(path, rows);
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
  const args = ['import', '--from', from, '--rejects', rejects];
  if (preset !== undefined) args.push('--preset', preset);
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

/**
 * Runs the command and kills it at the first request of its own at which it is due; the request goes on.
 * @returns the signal by which it ended, if it did
 */
async function killed(
  into: TestDatabase,
  isDue: (made: number) => boolean,
  request: ImportRequest,
  rejects: string,
): Promise<NodeJS.Signals | null> {
  const { endpoint } = into;
  const begun = endpoint.requests;
  const { child, ended } = start(into, request, rejects);
  endpoint.intercept = ({ sequence }) => {
    if (isDue(sequence - begun)) child.kill('SIGKILL');
    return undefined;
  };
  await ended;
  endpoint.intercept = undefined;
  return child.signalCode;
}
