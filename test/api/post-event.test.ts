import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { countEvents, storedEvent } from '../support/stored.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SHA256 = /^[0-9a-f]{64}$/;

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

/** Holds the writer's statements back until it is released. */
function holdWrites() {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  deployment.database.endpoint.intercept = async ({ statements }) => {
    if (!statements.some(({ query }) => query.includes('audit.append'))) return undefined;
    reached.resolve();
    await released.promise;
    return undefined;
  };
  return {
    reached: reached.promise,
    release: () => {
      deployment.database.endpoint.intercept = undefined;
      released.resolve();
    },
  };
}

describe('POST /v1/events with ack=accepted', () => {
  test('answers 202 and a receipt, and then stores the event', async () => {
    const event = anEvent();
    const answer = await client.post('/v1/events', event);
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({
      id: event.id,
      workspace_id: 'acme',
      created_at: new Date(Number.parseInt(event.id.replaceAll('-', '').slice(0, 12), 16)).toISOString(),
      result: 'accepted',
      redacted: [],
    });
    expect(answer.headers.get('Daybook-Ack')).toBe('accepted');
    expect(answer.headers.get('Content-Type')).toBe('application/json');
    expect(answer.headers.get('X-Request-Id')).toMatch(/^[\w-]{8,}$/);
    await vi.waitFor(async () => expect(await storedEvent(deployment, 'acme', event.id)).toBeDefined());
  });

  test('does not wait for the database', async () => {
    await client.get('/v1/events?limit=1');
    const writes = holdWrites();
    const event = anEvent();
    const startedAt = performance.now();
    const answer = await client.post('/v1/events?ack=accepted', event);
    expect(performance.now() - startedAt).toBeLessThan(2000);
    await writes.reached;
    expect(answer.status).toBe(202);
    expect(await storedEvent(deployment, 'acme', event.id)).toBeUndefined();
    writes.release();
    await vi.waitFor(async () => expect(await storedEvent(deployment, 'acme', event.id)).toBeDefined());
  });
});

describe('POST /v1/events with ack=committed', () => {
  test('answers 201 with the leaf hash of the stored row, which waits to be sealed', async () => {
    const event = anEvent();
    const answer = await client.post('/v1/events?ack=committed', event);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      id: event.id,
      workspace_id: 'acme',
      result: 'committed',
      redacted: [],
    });
    expect(answer.body.leaf_hash).toMatch(SHA256);
    expect(answer.headers.get('Daybook-Ack')).toBe('committed');
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({
      leaf_hash: answer.body.leaf_hash,
      pending: 1,
    });
  });

  test('answers only after the statement has ended', async () => {
    const writes = holdWrites();
    const event = anEvent();
    let isAnswered = false;
    const answering = client.post('/v1/events?ack=committed', event).finally(() => {
      isAnswered = true;
    });
    await writes.reached;
    // Another request goes there and back meanwhile.
    expect((await client.get('/healthz')).status).toBe(200);
    expect(isAnswered).toBe(false);
    expect(await storedEvent(deployment, 'acme', event.id)).toBeUndefined();
    writes.release();
    expect((await answering).status).toBe(201);
    expect(await storedEvent(deployment, 'acme', event.id)).toBeDefined();
  });

  test('answers no sooner than a slow database', async () => {
    deployment.database.endpoint.delayMs = 300;
    const startedAt = performance.now();
    const answer = await client.post('/v1/events?ack=committed', anEvent());
    deployment.database.endpoint.delayMs = 0;
    expect(answer.status).toBe(201);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(300);
  });
});

describe('an event', () => {
  test('gets an id and a time from the server when it brings none', async () => {
    const before = Date.now();
    const { id: _, ...event } = anEvent();
    const answer = await client.post('/v1/events?ack=committed', event);
    expect(answer.status).toBe(201);
    expect(answer.body.id).toMatch(UUID_V7);
    const createdAt = Date.parse(answer.body.created_at);
    expect(createdAt).toBeGreaterThanOrEqual(before);
    expect(createdAt).toBeLessThanOrEqual(Date.now());
    const stored = await storedEvent(deployment, 'acme', answer.body.id);
    expect(stored).toMatchObject({ created_at: new Date(createdAt), occurred_at: new Date(createdAt) });
  });

  test('keeps an id in upper case as the same id in lower case', async () => {
    const event = anEvent();
    const answer = await client.post('/v1/events?ack=committed', { ...event, id: event.id.toUpperCase() });
    expect(answer.body).toMatchObject({ id: event.id, result: 'committed' });
    expect((await client.post('/v1/events?ack=committed', event)).body.result).toBe('duplicate');
  });

  test('may have null for every optional field, which counts as absent', async () => {
    const event = anEvent();
    const nulls = {
      workspace_id: null,
      occurred_at: null,
      related_targets: null,
      outcome: null,
      reason: null,
      old_value: null,
      new_value: null,
      context: { ip_address: null, user_agent: null, request_id: null, session_id: null },
      metadata: null,
      source_id: null,
      version: null,
      actor: { type: 'user', id: 'u_1', name: null, email: null, on_behalf_of: null },
      target: { type: 'session', id: null, name: null },
    };
    const answer = await client.post('/v1/events?ack=committed', { ...event, ...nulls });
    expect(answer.status).toBe(201);
    const again = await client.post('/v1/events?ack=committed', event);
    expect([again.status, again.body.result]).toEqual([200, 'duplicate']);
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({
      outcome: 'success',
      version: 1,
      metadata: {},
    });
    const { id: _, ...rest } = event;
    expect((await client.post('/v1/events?ack=committed', { ...rest, id: null })).body.id).toMatch(UUID_V7);
  });

  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ])('with the address %s is stored with %s', async (sent, kept) => {
    const event = anEvent({ context: { ip_address: sent } });
    expect((await client.post('/v1/events?ack=committed', event)).status).toBe(201);
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({ ip_address: kept });
    const again = { ...event, context: { ip_address: kept } };
    expect((await client.post('/v1/events?ack=committed', again)).body.result).toBe('duplicate');
  });

  test.each([
    ['anonymous', null],
    ['system', 'system'],
  ])('of an actor of type %s needs no actor id', async (type, id) => {
    const event = anEvent({ actor: { type } });
    expect((await client.post('/v1/events?ack=committed', event)).status).toBe(201);
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({ actor_type: type, actor_id: id });
  });
});

describe('the parameter ack', () => {
  test.each(['eventually', '', 'Committed'])('is refused as "%s", and nothing is stored', async (ack) => {
    const count = await countEvents(deployment);
    const answer = await client.post(`/v1/events?ack=${ack}`, anEvent());
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('invalid_query');
    expect(answer.headers.get('Daybook-Ack')).toBeNull();
    expect(await countEvents(deployment)).toBe(count);
  });
});
