import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import { deploy, type Deployment } from '../support/deployment.ts';
import { countEvents, storedEvent } from '../support/stored.ts';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await deploy();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

const COMMITTED = '/v1/events?ack=committed';
const FULL = {
  occurred_at: '2026-01-31T09:30:00.123+02:00',
  actor: {
    type: 'user',
    id: 'u_1',
    name: 'Ada',
    email: 'ada@example.com',
    on_behalf_of: { type: 'agent', id: 'a_1' },
  },
  target: { type: 'document', id: 'd_1', name: 'Plan' },
  related_targets: [{ type: 'folder', id: 'f_1', name: 'Drafts' }, { type: 'folder' }],
  outcome: 'denied',
  reason: 'policy',
  old_value: { a: [1, 2.5, null] },
  new_value: 'x',
  context: { ip_address: '203.0.113.7', user_agent: 'curl/8', request_id: 'r_1', session_id: 's_1' },
  metadata: { k: { b: 1, a: 2 } },
  source_id: 'src_1',
  version: 3,
};

describe('the same event posted again', () => {
  test('is a duplicate, answered with the leaf hash of the stored one', async () => {
    const event = anEvent(FULL);
    const first = await client.post(COMMITTED, event);
    expect(first.status).toBe(201);
    const second = await client.post(COMMITTED, event);
    expect(second.status).toBe(200);
    expect(second.body).toEqual({ ...first.body, result: 'duplicate' });
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({
      leaf_hash: first.body.leaf_hash,
      pending: 1,
    });
  });

  test('is a duplicate when its members come in another order or form', async () => {
    const event = anEvent(FULL);
    await client.post(COMMITTED, event);
    const other = {
      ...Object.fromEntries(Object.entries(event).toReversed()),
      occurred_at: '2026-01-31T07:30:00.1230Z',
      metadata: { k: { a: 2, b: 1 } },
      old_value: { a: [1, 2.5, null] },
    };
    const text = JSON.stringify(other, null, 2).replace('2.5', '25e-1');
    const again = await client.post(COMMITTED, text);
    expect([again.status, again.body.result]).toEqual([200, 'duplicate']);
  });

  test('is a duplicate from another key of the workspace too', async () => {
    const event = anEvent();
    await client.post(COMMITTED, event);
    const other = clientOf(deployment, await deployment.key());
    expect((await other.post(COMMITTED, event)).body.result).toBe('duplicate');
  });

  test('a hundred times at once is stored once, and every answer is a success or a duplicate', async () => {
    const event = anEvent(FULL);
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.post(COMMITTED, event)));
    const results = answers.map(({ status, body }) => `${status} ${body.result}`);
    expect(new Set(results)).toEqual(new Set(['201 committed', '200 duplicate']));
    expect(results.filter((result) => result === '201 committed')).toHaveLength(1);
    const stored = await storedEvent(deployment, 'acme', event.id);
    expect(stored).toMatchObject({ pending: 1, ip_address: '203.0.113.7' });
    expect(new Set(answers.map(({ body }) => body.leaf_hash))).toEqual(new Set([stored?.['leaf_hash']]));
  });

  test('a hundred times at once with ack=accepted is stored once', async () => {
    const event = anEvent();
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.post('/v1/events', event)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    // What is committed now was written after all of them.
    await client.post(COMMITTED, anEvent());
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({ pending: 1 });
  });
});

describe('another event under the same id', () => {
  test.each([
    ['occurred_at', '2026-01-31T09:30:00.124+02:00'],
    ['action', 'user.logged_out'],
    ['actor', { ...FULL.actor, id: 'u_2' }],
    ['actor', { ...FULL.actor, name: 'Eve' }],
    ['actor', { ...FULL.actor, email: undefined }],
    ['actor', { ...FULL.actor, on_behalf_of: { type: 'agent', id: 'a_2' } }],
    ['target', { ...FULL.target, id: undefined }],
    ['target', { ...FULL.target, name: 'plan' }],
    ['related_targets', FULL.related_targets.toReversed()],
    ['related_targets', []],
    ['outcome', 'failure'],
    ['reason', undefined],
    ['old_value', { a: [1, 2.5] }],
    ['new_value', ['x']],
    ['context', { ...FULL.context, ip_address: '203.0.113.8' }],
    ['context', { ...FULL.context, ip_address: undefined }],
    ['context', { ...FULL.context, user_agent: 'curl/9' }],
    ['metadata', { k: { b: 1 } }],
    ['source_id', 'src_2'],
    ['version', 4],
  ])('with another %s is a conflict, and the stored event stays as it is: %j', async (field, value) => {
    const event = anEvent(FULL);
    const { leaf_hash: leafHash } = (await client.post(COMMITTED, event)).body;
    const before = await storedEvent(deployment, 'acme', event.id);
    const answer = await client.post(COMMITTED, { ...event, [field]: value });
    expect(answer.status).toBe(409);
    expect(answer.headers.get('Daybook-Ack')).toBe('committed');
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'conflict', status: 409, leaf_hash: leafHash });
    expect(await storedEvent(deployment, 'acme', event.id)).toEqual(before);
  });

  test('after ack=accepted is a dead letter, and the log says so', async () => {
    const event = anEvent();
    await client.post(COMMITTED, event);
    deployment.harness.clearLogs();
    expect((await client.post('/v1/events', { ...event, reason: 'other' })).status).toBe(202);
    await client.post(COMMITTED, anEvent());
    await vi.waitFor(() => {
      const logs = JSON.stringify(deployment.harness.getLogs());
      expect(logs).toContain('dead_letters');
      expect(logs).toContain(event.id);
    });
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({ reason: null });
  });
});

describe('the same id in another workspace', () => {
  test("is that workspace's own event, with the same content or another", async () => {
    const globex = clientOf(deployment, await deployment.key({ workspaces: ['globex'] }));
    for (const fields of [{}, { reason: 'another' }]) {
      const event = anEvent();
      const count = await countEvents(deployment);
      const [mine, theirs] = [
        await client.post(COMMITTED, event),
        await globex.post(COMMITTED, { ...event, ...fields }),
      ];
      expect([mine.status, theirs.status]).toEqual([201, 201]);
      expect(theirs.body).toMatchObject({ id: event.id, workspace_id: 'globex', result: 'committed' });
      expect(theirs.body.leaf_hash).not.toBe(mine.body.leaf_hash);
      expect(await countEvents(deployment)).toBe(count + 2);
    }
  });
});
