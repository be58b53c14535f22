import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeId } from '../../src/events/id.ts';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';

const start = Date.now() - 3_600_000;
const at = (minute: number) => start + minute * 60_000;
const time = (minute: number, more = 0) => new Date(at(minute) + more).toISOString();

/** Each event is known by its source_id. */
const EVENTS = [
  { action: 'user.created', actor: { type: 'user', id: 'ada' }, target: { type: 'user', id: 'bob' } },
  { action: 'user.deleted', actor: { type: 'user', id: 'ada' }, target: { type: 'user', id: 'eve' } },
  { action: 'user', actor: { type: 'service', id: 'sync' }, target: { type: 'user' } },
  { action: 'users.merged', actor: { type: 'user', id: 'bob' }, target: { type: 'team', id: 't1' } },
  {
    action: 'document.moved',
    actor: { type: 'user', id: 'bob' },
    target: { type: 'document', id: 'd1' },
    related_targets: [{ type: 'folder', id: 'f1' }, { type: 'folder', id: 'f2' }, { type: 'user' }],
  },
  { action: 'folder.opened', actor: { type: 'anonymous' }, target: { type: 'folder', id: 'f1' } },
  {
    action: 'document.shared',
    actor: { type: 'agent', id: 'ada' },
    target: { type: 'document', id: 'f1' },
    related_targets: [
      { type: 'user', id: 'bob' },
      { type: 'user', id: 'bob', name: 'Bob' },
    ],
  },
  { action: 'user.created', actor: { type: 'system' }, target: { type: 'user', id: 'bob 😀' } },
].map((fields, index) => anEvent({ ...fields, id: makeId(at(index)), source_id: String(index) }));

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
  expect((await client.post('/v1/events/batch?ack=committed', { events: EVENTS })).status).toBe(201);
  // The same again in another workspace, under other ids: no filter may find them.
  const others = EVENTS.map((event, index) => ({ ...event, id: makeId(at(index)), source_id: 'other' }));
  const globex = clientOf(deployment, await deployment.key({ workspaces: ['globex'] }));
  expect((await globex.post('/v1/events/batch?ack=committed', { events: others })).status).toBe(201);
});
afterAll(() => deployment.close());

/** The events that a query finds, newest first, by their source_ids in one string. */
async function found(query: string): Promise<string> {
  const answer = await client.get(`/v1/events?${query}`);
  expect([answer.status, answer.body.code]).toEqual([200, undefined]);
  return answer.body.data.map((event: { source_id: string }) => event.source_id).join('');
}

describe('the filter', () => {
  test.each([
    ['', '76543210'],
    ['actor_id=ada', '610'],
    ['actor_id=system', '7'],
    ['actor_id=Ada', ''],
    ['actor_type=user', '4310'],
    ['actor_type=anonymous', '5'],
    ['action=user.created', '70'],
    ['action=user', '2'],
    ['action=user.*', '710'],
    ['action=user*', '73210'],
    ['action=*', '76543210'],
    ['action=document.*', '64'],
    ['action=%25.created', ''],
    ['action=use_.created', ''],
    ['target_id=bob', '60'],
    ['target_id=f1', '654'],
    ['target_id=f2', '4'],
    ['target_id=bob%20%F0%9F%98%80', '7'],
    ['target_type=user', '764210'],
    ['target_type=folder', '54'],
    ['target_type=team', '3'],
  ])('%s finds %s', async (query, expected) => {
    expect(await found(query)).toBe(expected);
  });

  test.each([
    ['actor_id=ada&actor_id=bob', '64310'],
    ['actor_type=system&actor_type=agent', '76'],
    ['action=user&action=users.merged', '32'],
    ['action=user.*&action=folder.opened', '7510'],
    ['target_id=f1&target_id=bob', '6540'],
    ['target_id=f1&target_id=f2', '654'],
    ['target_type=team&target_type=folder', '543'],
    ['actor_id=ada&actor_id=ada', '610'],
  ])('given twice finds what matches either: %s', async (query, expected) => {
    expect(await found(query)).toBe(expected);
  });

  test.each([
    ['actor_id=ada&action=user.created', '0'],
    ['actor_id=ada&actor_type=user', '10'],
    ['actor_id=bob&target_type=folder', '4'],
    ['target_type=folder&target_id=f1', '54'],
    ['target_type=user&target_id=bob', '60'],
    ['target_type=user&target_id=f1', ''],
    ['actor_id=ada&actor_id=bob&action=user.*&target_type=user', '10'],
    ['action=document.*&target_id=bob&actor_type=agent', '6'],
  ])('with others finds what matches all: %s', async (query, expected) => {
    expect(await found(query)).toBe(expected);
  });

  test('by time includes its beginning and excludes its end', async () => {
    expect(await found(`from=${time(3)}`)).toBe('76543');
    expect(await found(`from=${time(3, 1)}`)).toBe('7654');
    expect(await found(`to=${time(3)}`)).toBe('210');
    expect(await found(`to=${time(3, 1)}`)).toBe('3210');
    expect(await found(`from=${time(2)}&to=${time(5)}`)).toBe('432');
    expect(await found(`from=${time(3)}&to=${time(3)}`)).toBe('');
    expect(await found(`from=${time(5)}&to=${time(2)}`)).toBe('');
    expect(await found(`from=${time(2)}&to=${time(7)}&target_id=f1`)).toBe('654');
    expect(await found('from=1901-01-01T00:00:00Z&to=9998-01-01T00:00:00Z')).toBe('76543210');
  });

  test('by time understands offsets', async () => {
    const berlin = new Date(at(3) + 7_200_000).toISOString().replace('Z', '%2B02:00');
    expect(await found(`from=${berlin}`)).toBe('76543');
  });

  test.each([
    '',
    'actor_id=ada',
    'target_id=f1',
    'target_type=user',
    'action=user.*',
    'action=user&action=user.created',
  ])('pages in either order: %s', async (query) => {
    for (const order of ['desc', 'asc']) {
      const whole = await found(`${query}&order=${order}`);
      expect(whole).toBe(
        [...(await found(query))].sort((a, b) => (order === 'asc' ? 1 : -1) * a.localeCompare(b)).join(''),
      );
      let pages = '';
      for (let cursor = ''; ;) {
        const { body } = await client.get(`/v1/events?${query}&order=${order}&limit=1${cursor}`);
        pages += body.data[0]?.source_id ?? '';
        if (!body.has_more) break;
        cursor = `&cursor=${body.next_cursor}`;
      }
      expect(pages).toBe(whole);
    }
  });

  test('by the longest id that can be stored finds it', async () => {
    const id = '😀'.repeat(255);
    await client.post(
      '/v1/events?ack=committed',
      anEvent({ id: makeId(at(-1)), actor: { type: 'user', id }, source_id: 'long' }),
    );
    expect(await found(`actor_id=${encodeURIComponent(id)}`)).toBe('long');
  });
});
