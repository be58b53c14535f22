import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../src/events/id.ts';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { flawsOf } from '../support/flaws.ts';
import { countEvents } from '../support/stored.ts';

const COMMITTED = '/v1/events?ack=committed';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let deployment: Deployment;
let client: Client;
let stored: number;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

const ahead = (ms: number) => new Date(Date.now() + ms).toISOString();
const actor = { type: 'user', id: 'u_1' };
const long = (length: number) => 'x'.repeat(length);

describe('an event is refused, and nothing is stored,', () => {
  beforeEach(async () => {
    stored = await countEvents(deployment);
  });
  afterEach(async () => {
    expect(await countEvents(deployment), 'nothing is stored').toBe(stored);
  });

  test.each([
    ['of version 4', () => crypto.randomUUID(), '/id id_version'],
    ['of version 1', () => 'c232ab00-9414-11ec-b3c8-9f6bdeced846', '/id id_version'],
    ['nil', () => '00000000-0000-0000-0000-000000000000', '/id id_version'],
    ['max', () => 'ffffffff-ffff-ffff-ffff-ffffffffffff', '/id id_version'],
    [
      'of another variant',
      () => `${makeId(Date.now()).slice(0, 19)}c${makeId(Date.now()).slice(20)}`,
      '/id id_version',
    ],
    ['8 days old', () => makeId(Date.now() - 8 * DAY), '/id id_window'],
    ['6 minutes ahead', () => makeId(Date.now() + 6 * MINUTE), '/id id_window'],
    ['without hyphens', () => makeId(Date.now()).replaceAll('-', ''), '/id invalid_value'],
    ['in braces', () => `{${makeId(Date.now())}}`, '/id invalid_value'],
    ['that is no UUID', () => 'event-1', '/id invalid_value'],
    ['that is empty', () => '', '/id too_short'],
  ])('with an id %s', async (_, id, flaw) => {
    expect(await flawsOf(client, anEvent({ id: id() }))).toEqual([flaw]);
  });

  test.each([
    '999.1.1.1',
    '1.2.3.4/24',
    'fe80::1%eth0',
    '127.1',
    '0x7f.0.0.1',
    '010.0.0.1',
    '[::1]',
    '1.2.3.4:80',
    '::1::',
    'localhost',
    ' 1.2.3.4',
  ])('with the address %s', async (address) => {
    expect(await flawsOf(client, anEvent({ context: { ip_address: address } }))).toEqual([
      '/context/ip_address invalid_ip',
    ]);
  });

  test.each([
    ['2026-01-31T09:30:00', 'invalid_time'],
    ['2026-01-31', 'invalid_time'],
    ['2026-02-30T00:00:00Z', 'invalid_time'],
    ['2025-02-29T00:00:00Z', 'invalid_time'],
    ['2026-01-31T24:00:00Z', 'invalid_time'],
    ['2026-01-31T23:59:60Z', 'invalid_time'],
    ['2026-01-31T09:30:00+24:00', 'invalid_time'],
    ['0000-01-01T00:00:00Z', 'time_out_of_range'],
    ['1899-12-31T23:59:59Z', 'time_out_of_range'],
    ['9999-01-01T00:00:00Z', 'time_out_of_range'],
    ['10000-01-01T00:00:00Z', 'invalid_time'],
    ['+010000-01-01T00:00:00Z', 'invalid_time'],
    ['yesterday', 'invalid_time'],
    ['infinity', 'invalid_time'],
    [ahead(6 * MINUTE), 'time_out_of_range'],
  ])('with the time %s', async (time, code) => {
    expect(await flawsOf(client, anEvent({ occurred_at: time }))).toEqual([`/occurred_at ${code}`]);
  });

  test.each([
    'user logged in',
    'user.',
    '.user',
    'user..login',
    '1user',
    'user/login',
    'üser.login',
    'user.logged_in\n',
    'user.*',
    '-',
  ])('with the action %j', async (action) => {
    expect(await flawsOf(client, anEvent({ action }))).toEqual(['/action invalid_value']);
  });

  test.each([
    ['too_long', '/action', { action: long(129) }],
    ['too_long', '/workspace_id', { workspace_id: long(129) }],
    ['too_long', '/actor/id', { actor: { type: 'user', id: long(256) } }],
    ['too_long', '/actor/name', { actor: { ...actor, name: long(256) } }],
    ['too_long', '/actor/email', { actor: { ...actor, email: long(321) } }],
    ['too_long', '/target/type', { target: { type: long(129) } }],
    ['too_long', '/target/id', { target: { type: 'x', id: long(256) } }],
    ['too_long', '/reason', { reason: long(513) }],
    ['too_long', '/reason', { reason: '😀'.repeat(513) }],
    ['too_long', '/source_id', { source_id: long(256) }],
    ['too_long', '/context/user_agent', { context: { user_agent: long(2049) } }],
    ['too_long', '/related_targets', { related_targets: Array.from({ length: 11 }, () => ({ type: 'x' })) }],
    ['too_short', '/action', { action: '' }],
    ['too_short', '/actor/id', { actor: { type: 'user', id: '' } }],
    ['too_short', '/source_id', { source_id: '' }],
  ])('with a field that is %s: %s', async (code, pointer, fields) => {
    const anywhere = clientOf(
      deployment,
      await deployment.key({ workspaces: ['*'], scopes: ['events:write'] }),
    );
    expect(await flawsOf(anywhere, anEvent({ workspace_id: 'acme', ...fields }))).toEqual([
      `${pointer} ${code}`,
    ]);
  });

  test('with an id too old, whose detail does not lead to a second copy', async () => {
    const answer = await client.post(COMMITTED, anEvent({ id: makeId(Date.now() - 8 * DAY) }));
    expect(answer.body.errors).toMatchObject([
      { pointer: '/id', code: 'id_window', detail: expect.stringContaining('only if it was not') },
    ]);
    expect(answer.body.errors[0].detail).not.toContain('leave the id out');
  });
});

describe('an event passes', () => {
  test.each([
    ['with an id almost 7 days old', () => ({ id: makeId(Date.now() - 7 * DAY + MINUTE) })],
    ['with an id 4 minutes ahead', () => ({ id: makeId(Date.now() + 4 * MINUTE) })],
    ['with a time 4 minutes ahead', () => ({ occurred_at: ahead(4 * MINUTE) })],
    ['with a time in 1900', () => ({ occurred_at: '1900-01-01T00:00:00Z' })],
    [
      'with strings as long as they may be',
      () => ({ reason: '😀'.repeat(512), source_id: long(255), action: long(128) }),
    ],
    [
      'with 10 related targets',
      () => ({ related_targets: Array.from({ length: 10 }, () => ({ type: 'x' })) }),
    ],
    ['with a name of mixed separators', () => ({ action: 'A1:b_c-d.E' })],
    [
      'with metadata as deep as it may be',
      () => ({ metadata: JSON.parse(`${'{"a":'.repeat(31)}1${'}'.repeat(31)}`) }),
    ],
  ])('%s', async (_, fields) => {
    const answer = await client.post(COMMITTED, anEvent(fields()));
    expect(answer.status).toBe(201);
  });
});
