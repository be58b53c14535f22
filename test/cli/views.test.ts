import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type Sql } from '../../src/db/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { appendRows, prepared } from '../support/rows.ts';
import { storeAged, DAY } from '../support/aged.ts';
import { sqlstateOf } from '../support/sqlstate.ts';
import { daybook } from './daybook.ts';

const OLD = '6f1c1f0e-6a53-4b0e-9b1e-2f6f6c1a9d11';
const USER = '0b7c2a54-51f6-4c6e-8f0a-3d6f3b0c7e21';

let database: TestDatabase;
let reader: Sql;
/** Roles are the server's, which other files use too. */
const role = `reader_${randomBytes(6).toString('hex')}`;
beforeAll(async () => {
  database = await startDatabase('postgres');
  await database.owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'reader'`);
  const url = Object.assign(new URL(database.ownerUrl), { username: role, password: 'reader' }).href;
  reader = connect({ url, localEndpoint: database.endpoint.url.href });
  const event = {
    actor: { type: 'user', id: USER, email: 'ada@example.com' },
    target: { type: 'MEMBER', id: '42' },
    action: 'UPDATE',
    old_value: { rank: 1 },
    new_value: { rank: 2 },
    metadata: { reason: 'promotion' },
    context: { ip_address: '203.0.113.7', user_agent: 'curl' },
    source_id: OLD,
  };
  const system = { actor: { type: 'system' }, target: { type: 'task', id: '7' }, action: 'task_created' };
  await appendRows(database.app, [
    prepared(event, { workspaceId: 'acme' }),
    prepared(system, { workspaceId: 'acme' }),
    prepared(event, { workspaceId: 'globex' }),
  ]);
  await storeAged(database, '198.51.100.9', { workspaceId: 'acme', at: Date.now() - 100 * DAY }, event);
});
afterAll(async () => {
  await database.superuser.query(`DROP OWNED BY ${role}`);
  await database.superuser.query(`DROP ROLE ${role}`);
  await database.close();
});

const views = (...args: string[]) =>
  daybook(['views', ...args], {
    env: { DATABASE_URL: database.ownerUrl, DAYBOOK_LOCAL_DATABASE: database.endpoint.url.href },
  });

/** The table's columns and types, and queries as its readers have them. */
const SOURCES: [preset: string, table: string, columns: string, queries: string[]][] = [
  [
    'control-plane',
    'control_plane.audit_logs',
    'id uuid, actor_id text, actor_type text, action text, target_type text, target_id text, metadata jsonb, ip_address inet, user_agent text, created_at timestamp(3) with time zone',
    [
      `SELECT * FROM control_plane.audit_logs WHERE actor_id = '${USER}' AND actor_type = 'user' ORDER BY created_at DESC LIMIT 50`,
      `SELECT * FROM control_plane.audit_logs WHERE target_type = 'MEMBER' AND target_id = '42' ORDER BY created_at DESC`,
      `SELECT * FROM control_plane.audit_logs WHERE created_at >= now() - interval '1 year' AND created_at < now() + interval '1 day' AND action = 'UPDATE'`,
      `SELECT action, count(*) FROM control_plane.audit_logs WHERE metadata->>'reason' = 'promotion' GROUP BY action`,
      `SELECT * FROM control_plane.audit_logs WHERE ip_address << inet '203.0.113.0/24'`,
    ],
  ],
  [
    'gdpr',
    'audit_log',
    'id uuid, user_id uuid, user_email character varying(320), action text, resource_type text, resource_id character varying(255), old_value jsonb, new_value jsonb, ip_address text, user_agent text, metadata jsonb, created_at timestamp(3) with time zone',
    [
      `SELECT * FROM audit_log WHERE user_id = '${USER}'::uuid ORDER BY created_at DESC`,
      `SELECT * FROM audit_log WHERE id = '${OLD}'`,
      `SELECT * FROM audit_log WHERE resource_type = 'MEMBER' AND resource_id = '42'`,
      `SELECT * FROM audit_log WHERE created_at < now() - interval '90 days' AND ip_address = '[anonymized]'`,
      `SELECT * FROM audit_log WHERE new_value->>'rank' = '2'`,
    ],
  ],
  [
    'tasks',
    'audit_events',
    'id text, action_type text, user_id text, timestamp timestamp(3) with time zone, resource_type text, resource_id text, metadata jsonb',
    [
      `SELECT * FROM audit_events WHERE action_type = 'task_created' ORDER BY timestamp DESC`,
      `SELECT * FROM audit_events WHERE user_id IS NULL`,
      `SELECT * FROM audit_events WHERE resource_type = 'task' AND resource_id = '7'`,
    ],
  ],
  [
    'workspace',
    'audit_logs',
    'id text, workspace_id text, user_id text, action text, resource text, resource_id text, details jsonb, previous_value jsonb, new_value jsonb, ip_address text, user_agent text, created_at timestamp(3) with time zone',
    [
      `SELECT * FROM audit_logs WHERE workspace_id = 'acme' AND created_at > now() - interval '1 year' ORDER BY created_at DESC`,
      `SELECT * FROM audit_logs WHERE user_id = '${USER}' AND action = 'UPDATE'`,
      `SELECT * FROM audit_logs WHERE previous_value->>'rank' = '1'`,
    ],
  ],
  [
    'desktop',
    'audit_logs',
    'id text, timestamp timestamp(3) with time zone, user_id text, session_id text, action text, resource_type text, resource_id text, details text, metadata text, ip_address text, user_agent text, success integer, error_message text, created_at timestamp(3) with time zone',
    [
      `SELECT * FROM audit_logs WHERE user_id = '${USER}' ORDER BY timestamp DESC LIMIT 100`,
      `SELECT * FROM audit_logs WHERE action IN ('UPDATE') AND resource_type = 'MEMBER' AND success = 1`,
    ],
  ],
];

describe.each(SOURCES)('the view for %s', (preset, table, columns, queries) => {
  beforeAll(async () => {
    // Two presets have the same name for their tables.
    await database.owner.query('DROP VIEW IF EXISTS public.audit_logs');
    const ran = await views('install', preset, '--workspace', 'acme', '--reader', role);
    expect(ran).toEqual({ code: 0, out: expect.stringContaining(table) });
  });

  test('has the table’s columns', async () => {
    const rows = await database.owner.query(
      `SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = $1::regclass ORDER BY attnum`,
      [table],
    );
    expect(rows.map(({ attname, type }) => `${attname} ${type}`).join(', ')).toBe(columns);
  });

  test.each(queries)('answers its readers: %s', async (query) => {
    expect((await reader.query(query)).length).toBeGreaterThan(0);
  });

  test('shows one workspace, and nothing else of Daybook', async () => {
    const [row] = await reader.query(`SELECT count(*)::integer AS n FROM ${table}`);
    expect(row).toEqual({ n: 3 });
    expect(await sqlstateOf(reader.query('SELECT * FROM audit.api_keys'))).toBe('42501');
    expect(await sqlstateOf(reader.query('SELECT audit.revoked_keys()'))).toBe('42501');
    expect(await reader.query('SELECT workspace_id FROM audit.readers')).toEqual([{ workspace_id: 'acme' }]);
    const set = reader.query(`SELECT set_config('daybook.workspace_id', 'globex', true)`);
    const [, events] = await reader.transaction([
      set,
      reader.query('SELECT DISTINCT workspace_id FROM audit.events'),
    ]);
    expect(events).toEqual([{ workspace_id: 'acme' }]);
    expect(await sqlstateOf(reader.query(`DELETE FROM ${table}`))).not.toBeUndefined();
  });

  test('is put anew by a second run', async () => {
    expect(await views('install', preset, '--workspace', 'acme')).toMatchObject({ code: 0 });
  });
});

test('details and metadata of the desktop app are never missing: the import made one of both', async () => {
  await database.owner.query('DROP VIEW IF EXISTS public.audit_logs');
  const event = { action: 'LOGIN', target: { type: 'USER' }, actor: { type: 'user', id: 'u_1' } };
  const metadata = [{ a: 1 }, { details: 'by hand', b: 2 }, {}];
  await appendRows(
    database.app,
    metadata.map((one) => prepared({ ...event, metadata: one }, { workspaceId: 'desk' })),
  );
  await views('install', 'desktop', '--workspace', 'desk');
  expect(await database.owner.query('SELECT details, metadata FROM audit_logs ORDER BY metadata')).toEqual([
    { details: '{"a": 1}', metadata: '{"a": 1}' },
    { details: 'by hand', metadata: '{"b": 2, "details": "by hand"}' },
    { details: null, metadata: null },
  ]);
  await database.owner.query('DROP VIEW public.audit_logs');
});

test('an address past its time reads as forgotten', async () => {
  await views('install', 'gdpr', '--workspace', 'acme', '--reader', role);
  const rows = await reader.query(
    'SELECT ip_address FROM audit_log WHERE resource_id = $1 ORDER BY created_at',
    ['42'],
  );
  expect(rows).toEqual([{ ip_address: '[anonymized]' }, { ip_address: '203.0.113.7' }]);
});

test('a table of that name stays, and is told of', async () => {
  await database.owner.query('CREATE SCHEMA mine; ');
  await database.owner.query('CREATE TABLE mine.audit_log (id integer)');
  const { code, out } = await views('install', 'gdpr', '--workspace', 'acme', '--schema', 'mine');
  expect(out).toContain('mine.audit_log exists, and is a table of yours. Rename it first');
  expect(code).toBe(1);
  expect(
    (await views('install', 'gdpr', '--workspace', 'acme', '--schema', 'mine', '--name', 'other')).code,
  ).toBe(0);
});

test.each([
  [['gpdpr', '--workspace', 'acme'], 'There is no view for "gpdpr". Did you mean gdpr?'],
  [['constructor', '--workspace', 'acme'], 'There is no view for "constructor". Choose from'],
  [['gdpr'], 'Add --workspace: the table named none'],
  [['gdpr', '--workspace', 'acme', '--schema', 'audit'], "--schema: audit is Daybook's own"],
  [['gdpr', '--workspace', 'acme', '--reader', 'nobody_of_that_name'], 'nobody_of_that_name'],
])('what cannot be installed is refused: %j', async (args, message) => {
  const { code, out } = await views('install', ...args);
  expect(out).toContain(message);
  expect(code).toBe(1);
});

test('a name is a name, whatever it holds', async () => {
  const name = `odd"; DROP TABLE x; --`;
  expect(await views('install', 'gdpr', '--workspace', `it's`, '--name', name)).toMatchObject({ code: 0 });
  const [row] = await database.owner.query(
    `SELECT count(*)::integer AS n FROM public."odd""; DROP TABLE x; --"`,
  );
  expect(row).toEqual({ n: 0 });
});
