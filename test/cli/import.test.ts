import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { daybook, type Ran } from './daybook.ts';

let database: TestDatabase;
let cwd: string;
beforeAll(async () => {
  database = await startDatabase('postgres');
  cwd = await mkdtemp(join(tmpdir(), 'daybook-cli-import-'));
});
afterAll(() => database.close());

async function imports(args: string): Promise<Ran> {
  const env = { DATABASE_URL: database.ownerUrl, DAYBOOK_LOCAL_DATABASE: database.endpoint.url.href };
  return daybook(['import', ...args.split(' ')], { env, cwd });
}

async function countOf(workspace: string): Promise<number> {
  const [row] = await database.owner.query(
    'SELECT count(*)::int AS count FROM audit.events WHERE workspace_id = $1',
    [workspace],
  );
  return Number(row?.['count']);
}

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(cwd, name), content);
  return name;
}

const HEADER = 'id,user_id,action,resource_type,timestamp';

test('a CSV file of a known source is imported, and what cannot be is beside it', async () => {
  const from = await file(
    'old.csv',
    `${HEADER}\n1,u1,LOGIN,SESSION,2026-10-01 09:00:00\n2,u1,LOGN,SESSION,2026-10-01 09:00:01\n3,u1,LOGOUT,SESSION,2019-10-01 09:00:02\n`,
  );
  const dry = await imports(`--preset desktop --from ${from} --workspace acme --dry-run`);
  expect(dry.code).toBe(0);
  expect(dry.out).toMatch(/^would be stored +2 /m);
  expect(dry.out).toMatch(/^Events, by workspace \(new: not there yet\)\n {2}"acme" +2 {2}new$/m);
  expect(await countOf('acme')).toBe(0);

  const { code, out } = await imports(`--preset desktop --from ${from} --workspace acme`);
  expect(code).toBe(0);
  expect(out).toMatch(/^read +3$/m);
  expect(out).toMatch(/^stored +2$/m);
  expect(out).toMatch(/^rejected +1 {2}in old\.csv\.desktop\.acme\.[0-9a-f]{6}\.rejects\.ndjson$/m);
  expect(out).toMatch(/^ {2}action: unknown_value +1$/m);
  expect(out).toMatch(/^ {2}2026-10 +1$/m);
  expect(out).toMatch(/1 event is older than the 24 months/);
  expect(out).toMatch(/UPDATE audit\.settings SET event_retention_months = \d+;/);
  expect(await countOf('acme')).toBe(2);
  const rejects = join(cwd, / in (\S+)$/m.exec(out)?.[1] ?? '');
  expect((await stat(rejects)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(rejects, 'utf8'))).toEqual({
    place: { byte: '81' },
    reasons: [
      { column: 'action', code: 'unknown_value', detail: expect.stringContaining('Was LOGIN meant?') },
    ],
    row: {
      id: '2',
      user_id: 'u1',
      action: 'LOGN',
      resource_type: 'SESSION',
      timestamp: '2026-10-01 09:00:01',
    },
  });
  expect(existsSync(`${rejects}.state`)).toBe(false);
});

test('a mapping file imports any other table', async () => {
  const sqlite = new DatabaseSync(join(cwd, 'shop.db'));
  sqlite.exec(
    `CREATE TABLE trail (n INTEGER PRIMARY KEY, at INTEGER, who TEXT, did TEXT, "order" TEXT, secret TEXT, note TEXT);
     INSERT INTO trail VALUES (1, 1759309200, 'ada', 'order.paid', 'o-1', 'x', NULL), (2, 1759309200000, NULL, 'order.paid', 'o-2', 'y', NULL)`,
  );
  sqlite.close();
  const mapping = await file(
    'shop.json',
    JSON.stringify({
      name: 'shop',
      columns: {
        n: 'source_id',
        at: 'created_at',
        who: 'actor.id',
        did: 'action',
        order: 'target.id',
        secret: null,
      },
      defaults: { 'actor.type': 'user', 'target.type': 'order' },
      without_actor: 'system',
    }),
  );
  const { code, out } = await imports(`--from shop.db --table trail --mapping ${mapping} --workspace shop`);
  expect(out).toMatch(/^stored +2$/m);
  expect(out).toMatch(/^Columns kept in metadata, for ever: note\./m);
  expect(code).toBe(0);
  const stored = await database.owner.query(
    `SELECT source_id, actor_type, actor_id, target_id, metadata FROM audit.events WHERE workspace_id = 'shop' ORDER BY source_id`,
  );
  expect(stored).toEqual([
    { source_id: '1', actor_type: 'user', actor_id: 'ada', target_id: 'o-1', metadata: {} },
    { source_id: '2', actor_type: 'system', actor_id: 'system', target_id: 'o-2', metadata: {} },
  ]);
});

describe('bad input', () => {
  beforeAll(() => file('some.csv', `${HEADER}\n`));

  test.each([
    ['--preset desktop', 'Missing required argument: --from'],
    ['--from some.csv --preset dekstop', 'Did you mean desktop?'],
    [
      '--from some.csv --preset desktop --workspace daybook',
      'Only the service writes to the workspace daybook',
    ],
    ['--from some.csv --preset desktop', 'Add --workspace'],
    [
      '--from some.csv --preset desktop --workspace acme --rejects some.csv',
      'some.csv is there and holds no rejects',
    ],
    ['--from some.csv --preset desktop --workspace acme --rejects no/such/place', 'cannot be written'],
  ])('%s is told what to do', async (args, message) => {
    const { code, out } = await imports(args);
    expect(out).toContain(message);
    expect(out).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });

  test('an interrupted import of something else is not taken for this one', async () => {
    await file(
      'other.rejects.state',
      JSON.stringify({
        version: 1,
        fingerprint: 'of another',
        cursor: ['1'],
        mark: '',
        without_ids: false,
        rejects: 0,
        report: { read: 1, stored: 1, already: 0, rejected: 0, redacted: 0, reasons: {}, months: {} },
      }),
    );
    const { code, out } = await imports(
      '--from some.csv --preset desktop --workspace acme --rejects other.rejects',
    );
    expect(out).toContain('is of another import that was interrupted');
    expect(code).toBe(1);
    const dry = await imports(
      '--from some.csv --preset desktop --workspace acme --rejects other.rejects --dry-run',
    );
    expect(dry.out).toContain('An import that was interrupted waits');
  });
});
