import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import { deploy, type Deployment } from '../support/deployment.ts';
import { storedEvent } from '../support/stored.ts';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await deploy();
  client = clientOf(deployment, await deployment.key());
});
afterEach(() => {
  deployment.database.endpoint.intercept = undefined;
});
afterAll(() => deployment.close());

async function expectStored(events: readonly { id: string }[]): Promise<void> {
  for (const { id } of events) {
    const isStored = async () =>
      expect(await storedEvent(deployment, 'acme', id)).toMatchObject({ pending: 1 });
    await vi.waitFor(isStored, { timeout: 30_000, interval: 100 });
  }
}

/** Lets every write of events fail. @returns how many were tried */
function breakWrites(): () => number {
  let tried = 0;
  deployment.database.endpoint.intercept = ({ statements }) => {
    if (!statements.some(({ query }) => query.includes('audit.append'))) return undefined;
    tried += 1;
    return { kind: 'unavailable' };
  };
  return () => tried;
}

describe('ack=queued', () => {
  test('is 202 once the queue holds the event, and then it is stored, once', async () => {
    const event = anEvent({ context: { ip_address: '203.0.113.7' } });
    const answer = await client.post('/v1/events?ack=queued', event);
    expect([answer.status, answer.headers.get('Daybook-Ack')]).toEqual([202, 'queued']);
    expect(answer.body).toMatchObject({ id: event.id, workspace_id: 'acme', result: 'queued', redacted: [] });
    expect(answer.body).not.toHaveProperty('leaf_hash');
    await expectStored([event]);
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({ ip_address: '203.0.113.7' });
  });

  test('holds for each event of a batch', async () => {
    const events = Array.from({ length: 300 }, () => anEvent({ metadata: { filling: 'x'.repeat(1000) } }));
    const answer = await client.post('/v1/events/batch?ack=queued', { events });
    expect([answer.status, answer.headers.get('Daybook-Ack')]).toEqual([202, 'queued']);
    expect(answer.body).toMatchObject({ accepted: 300, rejected: 0 });
    expect(answer.body.results[299]).toMatchObject({ index: 299, result: 'queued' });
    await expectStored(events);
  });

  test('holds for the largest event there may be, also where it is all quotes and backslashes', async () => {
    const events = ['"', '\\', '\\"', 'é'].map((text) => {
      const filling = text.repeat(65_100 / Buffer.byteLength(JSON.stringify(text).slice(1, -1)));
      return anEvent({ metadata: { filling } });
    });
    for (const event of events) {
      expect((await client.post('/v1/events?ack=queued', event)).body).toMatchObject({ result: 'queued' });
    }
    await expectStored(events);
    for (const { id, metadata } of events) {
      expect((await storedEvent(deployment, 'acme', id))?.['metadata']).toEqual(metadata);
    }
  });

  test('asks nothing of the database, and the events are stored once it is back', async () => {
    const tried = breakWrites();
    const events = Array.from({ length: 20 }, () => anEvent());
    const answers = await Promise.all(events.map((event) => client.post('/v1/events?ack=queued', event)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    await vi.waitFor(() => expect(tried()).toBeGreaterThan(0), 5000);
    deployment.database.endpoint.intercept = undefined;
    await expectStored(events);
  });

  test('cannot be had for an atomic batch', async () => {
    const answer = await client.post('/v1/events/batch?atomic=true&ack=queued', { events: [anEvent()] });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_query']);
  });
});

describe('ack=accepted', () => {
  test('survives a database that is down for longer than any request waits', async () => {
    const tried = breakWrites();
    const events: { id: string }[] = [];
    for (let round = 0; round < 20; round += 1) {
      const event = anEvent();
      events.push(event);
      expect((await client.post('/v1/events', event)).status).toBe(202);
    }
    await vi.waitFor(() => expect(tried()).toBeGreaterThanOrEqual(3), 5000);
    deployment.database.endpoint.intercept = undefined;
    await expectStored(events);
  });

  test('survives a month without a partition, until there is one', async () => {
    const { owner } = deployment.database;
    const [partition] = await owner.query(
      `SELECT name FROM audit.partitions WHERE parent = 'events' AND now() >= lower_bound AND now() < upper_bound`,
    );
    const name = String(partition?.['name']);
    await owner.query(`ALTER TABLE audit.events DETACH PARTITION audit.${name}`);
    const events = [anEvent(), anEvent()];
    for (const event of events) expect((await client.post('/v1/events', event)).status).toBe(202);
    const refused = await client.post('/v1/events?ack=committed', anEvent());
    expect(refused.status).toBe(503);
    await owner.query(
      `DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE audit.events ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)', name, lower_bound, upper_bound)
         FROM audit.partition_at('events', now())); END $$`,
    );
    await expectStored(events);
  });
});

test('a message that is none of ours ends as a dead letter, and holds up no other', async () => {
  const { QUEUE } = await deployment.harness
    .getWorker<{ QUEUE: { send(body: unknown, options: object): Promise<void> } }>()
    .getEnv();
  await QUEUE.send('nonsense', { contentType: 'text' });
  const event = anEvent();
  await client.post('/v1/events?ack=queued', event);
  await expectStored([event]);
  const operator = clientOf(deployment, deployment.operatorKey);
  await vi.waitFor(async () => {
    const { body } = await operator.get('/v1/dead-letters');
    expect(body.data).toMatchObject([
      { reason: 'undeliverable', event: null, raw: Buffer.from('nonsense').toString('base64') },
    ]);
  }, 10_000);
});
