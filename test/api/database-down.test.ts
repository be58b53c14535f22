import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import { deploy, type Deployment } from '../support/deployment.ts';
import { storedEvent } from '../support/stored.ts';

let deployment: Deployment;
let client: Client;

// A Worker that has never had an answer from its database: no test here may begin before the one above it.
beforeAll(async () => {
  deployment = await deploy();
  client = clientOf(deployment, await deployment.key());
  deployment.database.endpoint.intercept = () => ({ kind: 'refuse' });
});
afterAll(() => deployment.close());

describe('with the database unreachable, a Worker that has just started', () => {
  const early = anEvent({ context: { ip_address: '203.0.113.7' } });
  const earlyBatch = [anEvent(), anEvent()];
  const late = anEvent();

  test('accepts an event at once', async () => {
    const startedAt = performance.now();
    const answer = await client.post('/v1/events?ack=accepted', early);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ id: early.id, workspace_id: 'acme', result: 'accepted' });
    expect(performance.now() - startedAt).toBeLessThan(1500);
  });

  test('accepts a batch at once', async () => {
    const startedAt = performance.now();
    const answer = await client.post('/v1/events/batch', { events: earlyBatch });
    expect(answer.status).toBe(202);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  test('still refuses a key that it did not issue, and an event that is wrong', async () => {
    const forged = clientOf(deployment, `dbk_${'A'.repeat(120)}`);
    expect((await forged.post('/v1/events', anEvent())).status).toBe(401);
    expect((await client.post('/v1/events', {})).status).toBe(422);
  });

  test('answers 503 with Retry-After to whoever wants it committed', async () => {
    const { id: _, ...unnamed } = anEvent();
    const [one, batch, atomic] = await Promise.all([
      client.post('/v1/events?ack=committed', late),
      client.post('/v1/events/batch?ack=committed', { events: [anEvent(), anEvent()] }),
      client.post('/v1/events/batch?atomic=true', { events: [unnamed, unnamed] }),
    ]);
    for (const answer of [one, atomic]) {
      expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
      expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
      expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    }
    expect(batch.status).toBe(503);
    expect(Number(batch.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(batch.body).toMatchObject({ accepted: 0, rejected: 2 });
    expect(batch.body.results).toMatchObject([
      { problem: { code: 'unavailable' } },
      { problem: { code: 'unavailable' } },
    ]);
    // It may be stored all the same. Who sends it again needs the ids that the server made.
    const uuid = expect.stringMatching(/^[0-9a-f-]{14}7/);
    expect(one.body).toMatchObject({
      id: late.id,
      workspace_id: 'acme',
      detail: expect.stringMatching('not known'),
    });
    expect(batch.body.results[0].problem).toMatchObject({
      id: uuid,
      workspace_id: 'acme',
      created_at: expect.any(String),
    });
    expect(atomic.body).toMatchObject({ ids: [uuid, uuid], detail: expect.stringMatching('not known') });
  });

  test.each(['/v1/events', `/v1/events/${anEvent().id}`])(
    'answers 503 with Retry-After to GET %s',
    async (path) => {
      const answer = await client.get(path);
      expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
      expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
    },
  );

  test('is alive', async () => {
    expect(await client.get('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  test('stores what it accepted once the database is back', async () => {
    deployment.database.endpoint.intercept = undefined;
    for (const { id } of [early, ...earlyBatch]) {
      await vi.waitFor(
        async () => expect(await storedEvent(deployment, 'acme', id)).toMatchObject({ pending: 1 }),
        10_000,
      );
    }
    expect(await storedEvent(deployment, 'acme', early.id)).toMatchObject({ ip_address: '203.0.113.7' });
  });

  test('takes an event again that it could not commit', async () => {
    const answer = await client.post('/v1/events?ack=committed', late);
    expect(['201 committed', '200 duplicate']).toContain(`${answer.status} ${answer.body.result}`);
    expect(await storedEvent(deployment, 'acme', late.id)).toMatchObject({ pending: 1 });
  });
});
