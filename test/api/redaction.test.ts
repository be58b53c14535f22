import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { storedEvent, tablesHolding } from '../support/stored.ts';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

/** A text that occurs nowhere else, and looks like a secret only where its place says so. */
function aSecret(): string {
  return `s3cr3t${crypto.randomUUID().replaceAll('-', '')}`;
}

describe('a secret in an event', () => {
  test('is named in the receipt by its pointer, and is nowhere in the database', async () => {
    const secret = aSecret();
    const event = anEvent({
      actor: { type: 'user', id: 'u_1', name: `Bearer ${secret}` },
      reason: `retried with sk_live_${secret}`,
      old_value: { config: JSON.stringify({ password: secret }) },
      new_value: [{ field: 'password', old: secret, new: `${secret}2` }],
      metadata: {
        deep: [{ 'api/key': secret, api_key: secret }],
        cookie: secret,
        url: `https://u:${secret}@example.com/`,
      },
      context: { user_agent: `curl token=${secret}` },
    });
    const answer = await client.post('/v1/events?ack=committed', event);
    expect(answer.status).toBe(201);
    expect(answer.body.redacted.toSorted()).toEqual([
      '/actor/name',
      '/context/user_agent',
      '/metadata/cookie',
      '/metadata/deep/0/api_key',
      '/metadata/deep/0/api~1key',
      '/metadata/url',
      '/new_value/0/new',
      '/new_value/0/old',
      '/old_value/config',
      '/reason',
    ]);
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({
      metadata: { cookie: '[redacted]' },
    });
    expect(await tablesHolding(deployment, secret)).toEqual([]);
    expect(JSON.stringify(deployment.harness.getLogs())).not.toContain(secret);
  });

  test('is not given away by a conflict either', async () => {
    const event = anEvent({ metadata: { password: aSecret(), note: 1 } });
    expect((await client.post('/v1/events?ack=committed', event)).status).toBe(201);
    const secret = aSecret();
    const answer = await client.post('/v1/events?ack=committed', {
      ...event,
      metadata: { password: secret, note: 2 },
    });
    expect(answer.status).toBe(409);
    expect(JSON.stringify(answer.body)).not.toContain(secret);
    expect(await tablesHolding(deployment, secret)).toEqual([]);
  });

  test('does not tell two sendings of an event apart', async () => {
    const event = anEvent({ metadata: { password: aSecret() } });
    expect((await client.post('/v1/events?ack=committed', event)).status).toBe(201);
    const answer = await client.post('/v1/events?ack=committed', {
      ...event,
      metadata: { password: aSecret() },
    });
    expect(answer.body).toMatchObject({ result: 'duplicate', redacted: ['/metadata/password'] });
  });

  test('is taken out of each event of a batch', async () => {
    const secret = aSecret();
    const events = [anEvent(), anEvent({ metadata: { token: secret } })];
    const answer = await client.post('/v1/events/batch?ack=committed', { events });
    expect(answer.status).toBe(201);
    expect(answer.body.results.map((result: { receipt: unknown }) => result.receipt)).toMatchObject([
      { redacted: [] },
      { redacted: ['/metadata/token'] },
    ]);
    expect(await tablesHolding(deployment, secret)).toEqual([]);
  });

  test('is not stored, logged or repeated when the event is refused', async () => {
    const secret = aSecret();
    const answer = await client.post(
      '/v1/events',
      anEvent({ metadata: { password: secret }, actoin: secret }),
    );
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).not.toContain(secret);
    expect(await tablesHolding(deployment, secret)).toEqual([]);
    expect(JSON.stringify(deployment.harness.getLogs())).not.toContain(secret);
  });
});

describe('what only looks like a secret', () => {
  test('stays as it was sent', async () => {
    const metadata = {
      token_count: 512,
      password_changed_at: '2026-01-31T09:30:00Z',
      order: '4111-2222-3333',
      phone: '+49 30 901820',
      trace: '018f3c2e-7b1a-4c3d-9e8f-1a2b3c4d5e6f',
      has_password: true,
      note: 'the bearer of bad news',
    };
    const event = anEvent({ metadata });
    const answer = await client.post('/v1/events?ack=committed', event);
    expect(answer.body).toMatchObject({ result: 'committed', redacted: [] });
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({ metadata });
  });
});
