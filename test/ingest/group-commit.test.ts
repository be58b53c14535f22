import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import { deploy, type Deployment } from '../support/deployment.ts';

const CLIENTS = 50;

const COMMITTED = '/v1/events?ack=committed';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await deploy();
  client = clientOf(deployment, await deployment.key());
  // The revocation list is read once, here and not within a measurement.
  await client.post(COMMITTED, anEvent());
});
afterEach(() => {
  deployment.database.endpoint.delayMs = 0;
  deployment.database.endpoint.intercept = undefined;
});
afterAll(() => deployment.close());

async function storedIds(): Promise<string[]> {
  const rows = await deployment.database.owner.query('SELECT id FROM audit.events');
  return rows.map((row) => String(row['id']));
}

/** When each call of `audit.append` reached the endpoint. */
function watchAppends(): number[] {
  const times: number[] = [];
  deployment.database.endpoint.intercept = ({ statements }) => {
    if (statements.some(({ query }) => query.includes('audit.append'))) times.push(performance.now());
    return undefined;
  };
  return times;
}

async function post(ack: string, eventsEach: number): Promise<string[]> {
  const ids: string[] = [];
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let count = 0; count < eventsEach; count += 1) {
        const event = anEvent();
        ids.push(event.id);
        const { status } = await client.post(`/v1/events?ack=${ack}`, event);
        expect(status).toBe(ack === 'accepted' ? 202 : 201);
      }
    }),
  );
  return ids;
}

test.each(['accepted', 'committed'])(
  '50 clients and a database that takes 20 ms make at most one call per 10 events and 100 calls a second (%s)',
  async (ack) => {
    deployment.database.endpoint.delayMs = 20;
    const calls = watchAppends();
    const ids = await post(ack, 20);
    await vi.waitFor(async () => expect(await storedIds()).toEqual(expect.arrayContaining(ids)), {
      timeout: 20_000,
    });
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.length).toBeLessThanOrEqual(ids.length / 10);
    for (const [index, from] of calls.entries()) {
      expect(calls.slice(index).filter((time) => time < from + 1000).length).toBeLessThanOrEqual(100);
    }
  },
);

test('every event is stored exactly once, and waits exactly once to be sealed', async () => {
  const stored = await storedIds();
  expect(new Set(stored).size).toBe(stored.length);
  const pending = await deployment.database.owner.query('SELECT id FROM audit.log_pending');
  expect(pending.map((row) => String(row['id'])).toSorted()).toEqual(stored.toSorted());
});

test('a call that fails in any way is made again, and every accepted event is stored once', async () => {
  const kinds = ['refuse', 'unavailable', 'reset-after-commit', 'error-after-commit'] as const;
  let call = 0;
  deployment.database.endpoint.intercept = ({ statements }) => {
    if (!statements.some(({ query }) => query.includes('audit.append'))) return undefined;
    const kind = kinds[call % 5];
    call += 1;
    return kind === undefined ? undefined : { kind };
  };
  const ids = await post('accepted', 10);
  await vi.waitFor(async () => expect(await storedIds()).toEqual(expect.arrayContaining(ids)), {
    timeout: 30_000,
  });
  const stored = await storedIds();
  expect(new Set(stored).size).toBe(stored.length);
});

test('a row that the database refuses fails alone, and the events that travelled with it are stored', async () => {
  // Stands for any rule that the Worker does not know of.
  await deployment.database.owner.query(
    `ALTER TABLE audit.events ADD CONSTRAINT no_poison CHECK (action <> 'poison.sent') NOT VALID`,
  );
  // The Worker has to learn first that the database of the test before is up again.
  await vi.waitFor(async () => expect((await client.post(COMMITTED, anEvent())).status).toBe(201), 20_000);
  deployment.database.endpoint.delayMs = 50;
  const good = Array.from({ length: 30 }, () => anEvent());
  const answers = await Promise.all([
    ...good.slice(0, 15).map((event) => client.post(COMMITTED, event)),
    client.post(COMMITTED, anEvent({ action: 'poison.sent' })),
    ...good.slice(15).map((event) => client.post(COMMITTED, event)),
  ]);
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(30);
  expect(answers[15]).toMatchObject({ status: 422, body: { code: 'refused_event' } });
  expect(await storedIds()).toEqual(expect.arrayContaining(good.map(({ id }) => id)));
});
