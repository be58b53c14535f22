import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import { deploy, type Deployment } from '../support/deployment.ts';
import { storedEvent } from '../support/stored.ts';

let deployment: Deployment;
let client: Client;

// A Worker whose database takes every call and answers none, as one that wakes up does.
beforeAll(async () => {
  deployment = await deploy();
  client = clientOf(deployment, await deployment.key());
  deployment.database.endpoint.intercept = () => ({ kind: 'hang' });
});
afterAll(() => deployment.close());

describe('with a database that does not answer, a Worker that has just started', () => {
  const events = Array.from({ length: 20 }, () => anEvent());

  test('accepts events within a second or so', async () => {
    const startedAt = performance.now();
    const answers = await Promise.all(events.map((event) => client.post('/v1/events', event)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test('says within five seconds or so that it is not ready', async () => {
    const startedAt = performance.now();
    const operator = clientOf(deployment, deployment.operatorKey);
    const [ready, metrics] = await Promise.all([client.get('/readyz'), operator.get('/metrics')]);
    expect(performance.now() - startedAt).toBeLessThan(6500);
    expect([ready.status, ready.body.checks.database.status]).toEqual([503, 'failing']);
    expect([metrics.status, metrics.body]).toEqual([200, expect.stringContaining('daybook_database_up 0\n')]);
  });

  test('stores them once the database answers, each once', async () => {
    deployment.database.endpoint.intercept = undefined;
    for (const { id } of events) {
      const isStored = async () =>
        expect(await storedEvent(deployment, 'acme', id)).toMatchObject({ pending: 1 });
      await vi.waitFor(isStored, 20_000);
    }
  });
});
