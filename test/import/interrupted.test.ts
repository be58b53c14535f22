import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ImportError } from '../../src/import/import-error.ts';
import type { ImportRequest } from '../../src/import/open-import.ts';
import { PAGE_ROWS } from '../../src/import/source.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { makeSharedDatabase, type SharedDatabase } from '../support/shared-server.ts';
import { digestOf, importInto, scratch } from './run.ts';

let database: TestDatabase;
let other: TestDatabase;
let source: SharedDatabase;
let sourceUrl: string;
let client: pg.Client;
beforeAll(async () => {
  database = await startDatabase('postgres');
  other = await startDatabase('postgres');
  source = await makeSharedDatabase();
  const { user, password, database: name } = source.superuser;
  sourceUrl = `postgres://${user}:${password}@127.0.0.1:${source.port}/${name}`;
  client = new pg.Client({ connectionString: sourceUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await source.drop();
  await Promise.all([database.close(), other.close()]);
});

const HEADER = 'id,user_id,action,resource_type,timestamp';
/** Without an id; two that follow each other are the same. */
const line = (n: number) => `,user-${Math.floor(n / 2)},LOGIN,SESSION,2026-01-02 03:04:05`;
const event = (n: number) =>
  JSON.stringify({
    action: 'a.b',
    actor: { type: 'system' },
    target: { type: 't' },
    created_at: '2026-01-02T03:04:05Z',
    metadata: { n },
  });
const lines = (count: number, of: (n: number) => string) => Array.from({ length: count }, (_, n) => of(n));

async function csv(rows: readonly string[]): Promise<string> {
  const path = join(await scratch(), 'old.csv');
  await writeFile(path, `${[HEADER, ...rows].join('\n')}\n`);
  return path;
}

const desktop = (from: string, workspace: string): ImportRequest => ({ from, preset: 'desktop', workspace });

/** Begins an import that ends as if its process died, after so many pages. @returns its rejects file */
async function interrupted(request: ImportRequest, pages = 1, into = database): Promise<string> {
  const rejects = join(await scratch(), 'rejects.ndjson');
  let seen = 0;
  const onProgress = () => {
    seen += 1;
    if (seen === pages) throw new Error('died');
  };
  await expect(importInto(into, request, { rejects, onProgress })).rejects.toThrow('died');
  return rejects;
}

describe('an interrupted import', () => {
  test('into one database is not taken for the same into another', async () => {
    const request = desktop(await csv(lines(3000, line)), 'target');
    const rejects = await interrupted(request);
    expect(existsSync(`${rejects}.state`)).toBe(true);
    await expect(importInto(other, request, { rejects })).rejects.toThrow('mapping, workspace or database');
    const { report } = await importInto(database, request, { rejects });
    expect(report).toMatchObject({ read: 3000, rejected: 0 });
    expect(await digestOf(database, ['target'])).toMatchObject({ events: 3000 });
  });

  test.each<[string, (count: number) => Promise<ImportRequest>]>([
    ['CSV', async (count) => desktop(await csv(lines(count, line)), 'csv')],
    [
      'NDJSON',
      async (count) => {
        const from = join(await scratch(), 'events.ndjson');
        await writeFile(from, lines(count, (n) => event(Math.floor(n / 2))).join('\n'));
        return { from, workspace: 'ndjson' };
      },
    ],
    [
      'SQLite',
      async (count) => {
        const from = join(await scratch(), 'app.db');
        const sqlite = new DatabaseSync(from);
        sqlite.exec(`CREATE TABLE audit_logs (id TEXT PRIMARY KEY, user_id, action, resource_type, timestamp);
          INSERT INTO audit_logs WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < ${count - 1})
          SELECT NULL, 'user-' || (n / 2), 'LOGIN', 'SESSION', '2026-01-02 03:04:05' FROM s`);
        sqlite.close();
        return desktop(from, 'sqlite');
      },
    ],
  ])('of %s goes on with rows that have no ids, and stores each once', async (_, make) => {
    const request = await make(2801);
    const rejects = await interrupted(request, 2);
    const { report, resumed } = await importInto(database, request, { rejects });
    expect(resumed).toBe(2 * PAGE_ROWS);
    // Pages that were under way when it died are stored already.
    expect(report).toMatchObject({ read: 2801, rejected: 0 });
    const workspaces = [request.workspace ?? ''];
    expect(await digestOf(database, workspaces)).toMatchObject({ events: 2801, pending: 2801 });
    // The same ids as without an interruption.
    expect((await importInto(database, request)).report).toMatchObject({ stored: 0, already: 2801 });
  });

  test('of a file that was written anew is refused, and one that grew goes on', async () => {
    const rows = lines(3000, (n) => `id-${n}${line(n)}`);
    const request = desktop(await csv(rows), 'anew');
    const rejects = await interrupted(request);
    await writeFile(request.from, [HEADER, ...rows.slice(0, 200), ...rows.slice(300)].join('\n'));
    await expect(importInto(database, request, { rejects })).rejects.toThrow(
      'not as the interrupted import left it',
    );
    await writeFile(request.from, `${[HEADER, ...rows].join('\n')}\n`);
    await appendFile(request.from, `id-3000${line(3000)}\n`);
    const { report } = await importInto(database, request, { rejects });
    expect(report).toMatchObject({ read: 3001, rejected: 0 });
    expect(await digestOf(database, ['anew'])).toMatchObject({ events: 3001 });
  });

  test('of a SQLite database whose rows VACUUM numbered anew is refused', async () => {
    const from = join(await scratch(), 'app.db');
    const sqlite = new DatabaseSync(from);
    sqlite.exec(`CREATE TABLE audit_logs (id TEXT, user_id, action, resource_type, timestamp);
      INSERT INTO audit_logs WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 3000)
      SELECT n, 'u', 'LOGIN', 'SESSION', '2026-01-02 03:04:05' FROM s;
      DELETE FROM audit_logs WHERE rowid <= 300`);
    const request = desktop(from, 'vacuum');
    const rejects = await interrupted(request);
    sqlite.exec('VACUUM');
    sqlite.close();
    await expect(importInto(database, request, { rejects })).rejects.toThrow(
      'not as the interrupted import left it',
    );
  });

  test('of a Postgres table without a key begins anew, whatever moved meanwhile', async () => {
    await client.query(`CREATE TABLE audit_logs (id text, user_id text, action text, resource_type text, timestamp timestamptz, note text);
      INSERT INTO audit_logs SELECT CASE WHEN g % 2 = 0 THEN g::text END, 'u', 'LOGIN', 'SESSION', '2026-01-02', repeat('x', 200)
      FROM generate_series(1, 2000) AS g`);
    const request = desktop(sourceUrl, 'keyless');
    const rejects = await interrupted(request, 2);
    await client.query(`DELETE FROM audit_logs WHERE id::int <= 200`);
    await client.query('VACUUM audit_logs');
    await client.query(`UPDATE audit_logs SET note = note WHERE id::int > 1500`);
    const { report } = await importInto(database, request, { rejects });
    expect(report).toMatchObject({ read: 1900, rejected: 0 });
    expect(await digestOf(database, ['keyless'])).toMatchObject({ events: 2000 });
    await client.query('DROP TABLE audit_logs');
  });
});

describe('rows without ids', () => {
  test('stay the same when another one is corrected', async () => {
    const rows = lines(40, line);
    const from = await csv([',u,LOGN,SESSION,2026-01-02 03:04:05', ...rows]);
    expect((await importInto(database, desktop(from, 'fixed'))).report).toMatchObject({
      stored: 40,
      rejected: 1,
    });
    await writeFile(from, [HEADER, ',u,LOGIN,SESSION,2026-01-02 03:04:05', ...rows].join('\n'));
    expect((await importInto(database, desktop(from, 'fixed'))).report).toMatchObject({
      stored: 1,
      already: 40,
    });
  });
});

describe('a source that cannot be read further', () => {
  test('is told without a stack', async () => {
    const from = join(await scratch(), 'damaged.db');
    const sqlite = new DatabaseSync(from);
    sqlite.exec(`CREATE TABLE audit_logs (id TEXT, user_id, action, resource_type, timestamp);
      INSERT INTO audit_logs WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 5000)
      SELECT n, 'u', 'LOGIN', 'SESSION', '2026-01-02 03:04:05' FROM s`);
    sqlite.close();
    const file = await open(from, 'r+');
    await file.write(Buffer.alloc(4096, 0xff), 0, 4096, 4096 * 20);
    await file.close();
    const error: unknown = await importInto(database, desktop(from, 'damaged')).catch(
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(ImportError);
    expect(String(error)).toContain('malformed');
  });
});

describe('a rejects file', () => {
  test('that is no file is left as it is', async () => {
    const directory = await scratch();
    execFileSync('mkfifo', ['-m', '644', join(directory, 'pipe')]);
    const request = desktop(await csv([]), 'pipe');
    await expect(importInto(database, request, { rejects: join(directory, 'pipe') })).rejects.toThrow(
      'is not a regular file',
    );
    expect((await stat(join(directory, 'pipe'))).mode & 0o777).toBe(0o644);
  });

  test('that cannot be written, and a state that cannot, say what to do', async () => {
    const request = desktop(await csv(lines(3000, line)), 'unwritable');
    const missing = join(await scratch(), 'missing', 'rejects.ndjson');
    await expect(importInto(database, request, { rejects: missing })).rejects.toThrow(
      /cannot be written \(ENOENT\)/,
    );
    const rejects = join(await scratch(), 'rejects.ndjson');
    await mkdir(`${rejects}.state.next`);
    const error: unknown = await importInto(database, request, { rejects }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ImportError);
    expect(String(error)).toContain('.state cannot be written (EISDIR)');
  });

  test('holds of a huge row its beginning, and says so', async () => {
    const row = `1,u,LOGN,SESSION,2026-01-02 03:04:05`;
    const from = join(await scratch(), 'huge.db');
    const sqlite = new DatabaseSync(from);
    sqlite.exec(`CREATE TABLE audit_logs (id TEXT, user_id, action, resource_type, timestamp, details);
      INSERT INTO audit_logs VALUES ('1', 'u', 'LOGIN', 'SESSION', '2026-01-02', hex(zeroblob(3000000)))`);
    sqlite.close();
    const { report, rejects } = await importInto(database, desktop(from, 'huge'));
    expect(report).toMatchObject({ read: 1, rejected: 1 });
    expect(rejects[0]).toMatchObject({ cut: true, reasons: [{ code: 'too_large' }] });
    expect(rejects[0]?.raw).toHaveLength(1024 * 1024);
    expect(rejects[0]?.raw).toContain('"user_id":"u"');
    // Others are whole.
    const { rejects: whole } = await importInto(database, desktop(await csv([row]), 'huge'));
    expect(whole[0]?.row).toMatchObject({ id: '1', action: 'LOGN' });
  });

  test('is of one import at a time, of a dry run too', async () => {
    const request = desktop(await csv(lines(20, line)), 'two');
    const rejects = join(await scratch(), 'rejects.ndjson');
    const both = [false, true].map((dryRun) => importInto(database, request, { rejects, dryRun }));
    const ended = await Promise.allSettled(both);
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(ended.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { name: 'ImportError', message: expect.stringContaining(`(process ${process.pid}) uses`) },
    });
    expect(existsSync(`${rejects}.lock`)).toBe(false);
  });

  test('of a process that is no more is taken over, and of another one not', async () => {
    const request = desktop(await csv(lines(20, line)), 'lock');
    const rejects = join(await scratch(), 'rejects.ndjson');
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await writeFile(`${rejects}.lock`, String(child.pid));
    await expect(importInto(database, request, { rejects })).rejects.toThrow(`delete ${rejects}.lock`);
    expect(await readFile(`${rejects}.lock`, 'utf8')).toBe(String(child.pid));
    child.stdin.end();
    await ended;
    expect((await importInto(database, request, { rejects })).report).toMatchObject({ read: 20 });
  });
});
