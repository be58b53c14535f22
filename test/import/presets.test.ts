import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { makeSharedDatabase } from '../support/shared-server.ts';
import { importInto, storedOf } from './run.ts';
import * as tables from './sources/tables.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase('postgres');
});
afterAll(() => database.close());

/** What no preset of these gives an event. */
const nothing = {
  actor_name: null,
  actor_email: null,
  outcome: 'success',
  reason: null,
  old_value: null,
  new_value: null,
  user_agent: null,
  session_id: null,
  key_id: null,
  ip_address: null,
  pending: 1,
  version: 1,
};
const at = new Date('2025-01-31T09:30:00.123Z');

const ROWS: [string, string, string, string, Record<string, unknown>][] = [
  [
    'desktop',
    tables.DESKTOP_MAIN.replace(
      'FOREIGN KEY (user_id) REFERENCES users_local (id) ON DELETE CASCADE',
      'success boolean, error_message text, session_id text',
    ),
    'audit_logs',
    `('a-1', 'u-1', 'EXPORT_FAIL', 'EXPORT', 'x-1', '{"rows":[1]}', '{"app":"2.1"}', '203.0.113.7', 'curl', '2025-01-31 09:30:00.123456', false, 'no room', 's-1')`,
    {
      source_id: 'a-1',
      action: 'EXPORT_FAIL',
      actor_type: 'user',
      actor_id: 'u-1',
      target_type: 'EXPORT',
      target_id: 'x-1',
      outcome: 'failure',
      reason: 'no room',
      metadata: { app: '2.1', rows: [1] },
      user_agent: 'curl',
      session_id: 's-1',
      had_address: true,
    },
  ],
  [
    'control-plane',
    tables.CONTROL_PLANE,
    'control_plane.audit_logs',
    `('936da01f-9abd-4d9d-80c7-02af85c822a8', 'k-1', 'api_key', 'secret.read', 'secret', 's-1', '{"a":{"b":null}}', '2001:db8::1', 'sdk/1', '2025-01-31 10:30:00.1239+01')`,
    {
      source_id: '936da01f-9abd-4d9d-80c7-02af85c822a8',
      action: 'secret.read',
      actor_type: 'api_key',
      actor_id: 'k-1',
      target_type: 'secret',
      target_id: 's-1',
      metadata: { a: { b: null } },
      user_agent: 'sdk/1',
      had_address: true,
    },
  ],
  [
    'gdpr',
    tables.GDPR,
    'audit_log',
    `('936da01f-9abd-4d9d-80c7-02af85c822a8', NULL, 'ada@example.com', 'LOGIN', 'USER', 'u-1', '{"role":"guest"}', '"admin"', '[anonymized]', 'Mozilla', '{}', '2025-01-31 09:30:00.123+00')`,
    {
      source_id: '936da01f-9abd-4d9d-80c7-02af85c822a8',
      action: 'LOGIN',
      actor_type: 'anonymous',
      actor_id: null,
      actor_email: 'ada@example.com',
      target_type: 'USER',
      target_id: 'u-1',
      old_value: { role: 'guest' },
      new_value: 'admin',
      metadata: {},
      user_agent: 'Mozilla',
      had_address: false,
    },
  ],
  [
    'tasks',
    tables.TASKS.replace('REFERENCES users (id)', ''),
    'audit_events',
    `(7, 'attachment_uploaded', NULL, '2025-01-31 09:30:00.123', NULL, '12', '{"task_title":"Pay"}')`,
    {
      source_id: '7',
      action: 'attachment_uploaded',
      actor_type: 'system',
      actor_id: 'system',
      target_type: 'attachment',
      target_id: '12',
      metadata: { task_title: 'Pay' },
      had_address: false,
    },
  ],
  [
    'workspace',
    tables.WORKSPACE,
    'audit_logs',
    `('cl1', 'workspace', 'u-1', 'settings_changed', NULL, 'theme', '{"via":"web"}', '{"theme":"dark"}', '"light"', '203.0.113.7', 'Mozilla', '2025-01-31 09:30:00.123')`,
    {
      source_id: 'cl1',
      action: 'settings_changed',
      actor_type: 'user',
      actor_id: 'u-1',
      target_type: 'settings',
      target_id: 'theme',
      old_value: { theme: 'dark' },
      new_value: 'light',
      metadata: { via: 'web' },
      user_agent: 'Mozilla',
      had_address: true,
    },
  ],
];

test.each(ROWS)('a row of %s is stored field by field', async (preset, ddl, table, row, expected) => {
  const made = await makeSharedDatabase();
  const { user, password, database: name } = made.superuser;
  const from = `postgres://${user}:${password}@127.0.0.1:${made.port}/${name}`;
  const client = new pg.Client({ connectionString: from });
  await client.connect();
  await client.query(
    `SET timezone = 'UTC'; ${ddl}; INSERT INTO ${table} OVERRIDING SYSTEM VALUE VALUES ${row}`,
  );
  await client.end();
  const { report } = await importInto(database, { from, preset, workspace: preset });
  expect(report).toMatchObject({ read: 1, stored: 1 });
  const [{ id, ...stored } = {}] = await storedOf(database, preset);
  // Its time is that of the row, cut to the millisecond.
  expect(id).toMatch(/^0194bbb2-1e3b-7/);
  expect(stored).toEqual({ ...nothing, created_at: at, occurred_at: at, ...expected });
  await made.drop();
});
