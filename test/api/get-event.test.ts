import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { storedEvent } from '../support/stored.ts';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

async function post(fields: Record<string, unknown>): Promise<string> {
  const event = anEvent(fields);
  expect((await client.post('/v1/events?ack=committed', event)).status).toBe(201);
  return event.id;
}

describe('GET /v1/events/{id}', () => {
  test('answers every field as it was sent, and what the service adds', async () => {
    const sent = {
      action: 'document.shared',
      occurred_at: '2026-01-31T09:30:00.5+02:00',
      actor: {
        type: 'user',
        id: 'u_1',
        name: 'Ada',
        email: 'ada@example.com',
        on_behalf_of: { type: 'agent', id: 'a_1' },
      },
      target: { type: 'document', id: 'd_1', name: 'Plan' },
      related_targets: [
        { type: 'folder', id: 'f_1' },
        { type: 'user', id: 'u_2', name: 'Bob' },
        { type: 'team' },
      ],
      outcome: 'denied',
      reason: 'not shared',
      old_value: [1],
      new_value: 'two',
      context: { ip_address: '2001:DB8::1', user_agent: 'curl/8', request_id: 'r_1', session_id: 's_1' },
      metadata: { plan: 'pro' },
      source_id: 'src_1',
      version: 3,
    };
    const id = await post(sent);
    const stored = await storedEvent(deployment, 'acme', id);
    const answer = await client.get(`/v1/events/${id}`);
    expect(answer.status).toBe(200);
    expect(new Date(answer.body.received_at)).toEqual(stored?.['received_at']);
    expect(answer.body).toEqual({
      ...sent,
      id,
      workspace_id: 'acme',
      created_at: new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toISOString(),
      received_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      occurred_at: '2026-01-31T07:30:00.500Z',
      related_targets: [
        { type: 'folder', id: 'f_1', name: null },
        { type: 'user', id: 'u_2', name: 'Bob' },
        { type: 'team', id: null, name: null },
      ],
      context: { ...sent.context, ip_address: '2001:db8::1' },
      key_id: stored?.['key_id'],
      leaf_hash: stored?.['leaf_hash'],
      commitments: {
        ip: expect.stringMatching(/^[0-9a-f]{64}$/),
        person: expect.stringMatching(/^[0-9a-f]{64}$/),
        payload: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
  });

  test('answers null for what is absent, and the defaults', async () => {
    const id = await post({});
    const { body } = await client.get(`/v1/events/${id}`);
    expect(body).toMatchObject({
      actor: { type: 'user', id: 'u_1', name: null, email: null, on_behalf_of: null },
      target: { type: 'session', id: null, name: null },
      related_targets: [],
      outcome: 'success',
      version: 1,
      old_value: null,
      new_value: null,
      context: { ip_address: null, user_agent: null, request_id: null, session_id: null },
      metadata: {},
      commitments: { ip: null, person: null, payload: null },
    });
    expect(body.occurred_at).toBe(body.created_at);
  });

  test('is the same event that the list shows', async () => {
    const id = await post({ context: { ip_address: '203.0.113.7' }, metadata: { a: 1 } });
    const { body } = await client.get('/v1/events?limit=1');
    expect((await client.get(`/v1/events/${id}`)).body).toEqual(body.data[0]);
  });

  test('finds an id in upper case', async () => {
    const id = await post({});
    expect((await client.get(`/v1/events/${id.toUpperCase()}`)).body.id).toBe(id);
  });

  test("finds neither another workspace's event nor one that does not exist, and does not tell them apart", async () => {
    const theirs = anEvent();
    await clientOf(deployment, await deployment.key({ workspaces: ['globex'] })).post(
      '/v1/events?ack=committed',
      theirs,
    );
    const answers = [
      await client.get(`/v1/events/${theirs.id}`),
      await client.get(`/v1/events/${anEvent().id}`),
    ];
    for (const { status, body } of answers) {
      expect([status, body.code, body.detail]).toEqual([
        404,
        'not_found',
        'This workspace has no event with this id.',
      ]);
    }
    const ids = (await client.get('/v1/events?limit=200')).body.data.map(({ id }: { id: string }) => id);
    expect(ids).not.toContain(theirs.id);
  });

  test.each([
    '1',
    'x',
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-7fff-bfff-ffffffffffff',
    '%00',
    '%ff',
    "'--",
    '018f3c2e7b1a7c3d9e8f1a2b3c4d5e6f',
  ])('answers 404 to the id %s', async (id) => {
    const answer = await client.get(`/v1/events/${id}`);
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  });
});

describe('a JSON value comes back as it was sent', () => {
  const VALUES = [
    '"123"',
    '"null"',
    '"{\\"a\\":1}"',
    '""',
    '0',
    'false',
    '[]',
    '{}',
    '[null]',
    '{"a":null,"b":{"c":[null,{"d":null}]}}',
    '{"__proto__":{"a":1},"constructor":2,"toString":null}',
    '[0.1,1e-7,1.5e300,5e-324,9007199254740991,-9007199254740991,1e+21,1.2345678901234568e20,0.30000000000000004]',
    '["😀","\\u2028","é","e\\u0301","\\ufffd","\\ud83d\\ude00","\\t\\n\\"\\\\/","\\u007f","\\u001f"]',
    '{"":1," ":2,"a b":3,"ключ":4,"😀":5}',
    '{"2":1,"10":2,"1":3}',
    '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]',
    '[true,[false,[1,["x"]]]]',
  ];
  const canonical = (value: unknown) => JSON.stringify(value, (_, member: unknown) => sorted(member));

  test.each(VALUES)('%s', async (text) => {
    const event = JSON.stringify(anEvent({ old_value: '@', new_value: '@', metadata: { value: '@' } }));
    const { body } = await client.post(
      '/v1/events?ack=committed',
      event.replaceAll('"@"', () => text),
    );
    expect(body.result).toBe('committed');
    const read = (await client.get(`/v1/events/${body.id}`)).body;
    for (const value of [read.old_value, read.new_value, read.metadata.value]) {
      expect(canonical(value)).toBe(canonical(JSON.parse(text)));
    }
    const listed = (await client.get('/v1/events?limit=1')).body.data[0];
    expect(canonical(listed)).toBe(canonical(read));
  });

  /** Members in one order; jsonb keeps none. `__proto__` stays a member. */
  function sorted(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
});
