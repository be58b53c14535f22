import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { THOROUGH } from '../support/thorough.ts';
import { digestOf, importInto, readRejects, scratch } from './run.ts';
import { CASES, rowsOf } from './sources/cases.ts';
import { fillSqlite } from './sources/fill.ts';

const COUNT = THOROUGH ? 100_000 : 4000;
const KILLS = 10;
const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;

const [source] = CASES;
if (source === undefined) throw new Error('there are sources');
const { rows, invalid } = rowsOf(source, COUNT);

let database: TestDatabase;
let from: string;
beforeAll(async () => {
  database = await startDatabase('postgres');
  from = join(await scratch(), 'app.db');
  fillSqlite(from, source.ddl, source.table, rows);
});
afterAll(() => database.close());

/** Starts the command as it is typed. */
function start(workspace: string, rejects: string) {
  const args = [
    'import',
    '--preset',
    'desktop',
    '--from',
    from,
    '--workspace',
    workspace,
    '--rejects',
    rejects,
  ];
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = {
    PATH,
    NODE_COMPILE_CACHE,
    DATABASE_URL: database.ownerUrl,
    DAYBOOK_LOCAL_DATABASE: database.endpoint.url.href,
  };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
  return { child, ended: once(child, 'close').then(() => ({ code: child.exitCode, out })) };
}

/** Runs the command and kills it some ms after it made so many requests. */
async function killed(requests: number, ms: number, run: () => ReturnType<typeof start>): Promise<void> {
  const { endpoint } = database;
  const begun = endpoint.requests;
  const { child, ended } = run();
  endpoint.intercept = ({ sequence }) => {
    if (sequence - begun === requests) setTimeout(() => child.kill('SIGKILL'), ms);
    return undefined;
  };
  await ended;
  endpoint.intercept = undefined;
}

test(
  'killed at random points and run again, an import ends as if it had never been',
  { timeout: 900_000 },
  async () => {
    const plain = await importInto(database, { from, preset: 'desktop', workspace: 'whole' });
    const rejects = join(await scratch(), 'rejects.ndjson');
    let interrupted = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const requests = 1 + Math.floor(Math.random() * (THOROUGH ? 60 : 14));
      await killed(requests, kill % 2 === 0 ? 0 : Math.random() * 40, () => start('killed', rejects));
      if (existsSync(`${rejects}.state`)) interrupted += 1;
    }
    const { code, out } = await start('killed', rejects).ended;
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^read +${COUNT.toLocaleString('en-US')}\\b`, 'm'));
    expect(out).toMatch(new RegExp(`^rejected +${invalid.size.toLocaleString('en-US')}\\b`, 'm'));
    expect(interrupted).toBeGreaterThan(0);

    expect(await readRejects(rejects)).toEqual(plain.rejects);
    expect((await stat(rejects)).mode & 0o777).toBe(0o600);
    expect(existsSync(`${rejects}.state`)).toBe(false);
    const [whole, pieces] = [await digestOf(database, ['whole']), await digestOf(database, ['killed'])];
    expect(pieces).toEqual({ ...whole, rows: pieces.rows });
    expect(whole).toMatchObject({ events: COUNT - invalid.size, pending: COUNT - invalid.size });
    const again = await importInto(database, { from, preset: 'desktop', workspace: 'killed' });
    expect(again.report).toMatchObject({ read: COUNT, stored: 0, rejected: invalid.size });
  },
);
