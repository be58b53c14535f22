import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clientOf, type Client } from '../support/client.ts';
import { deploy, type Deployment } from '../support/deployment.ts';
import { appendRows, withAddress } from '../support/rows.ts';
import { storedEvent } from '../support/stored.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ADDRESS = '203.0.113.7';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await deploy();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

/** Makes the partitions for a time long past, where they are missing. */
async function makePartitions(ms: number): Promise<void> {
  for (const parent of ['events', 'event_targets', 'event_ips']) {
    await deployment.database.owner.query(
      `SELECT audit.make_partition($1, $2) FROM audit.partition_at($1, $2) p
       WHERE to_regclass('audit.' || p.name) IS NULL`,
      [parent, new Date(ms).toISOString()],
    );
  }
}

/** Stores an event with an address as it stood when it was young. @returns its id */
async function agedEvent(age: number): Promise<string> {
  const at = Date.now() - age;
  await makePartitions(at);
  const { owner } = deployment.database;
  const event = withAddress(ADDRESS, { at });
  expect(await appendRows(owner, [event])).toEqual([]);
  // `append` leaves out an address past its time; put it there as it would still be before its day is dropped.
  await owner.query(
    `INSERT INTO audit.event_ips (workspace_id, event_id, created_at, ip_address, salt)
     SELECT workspace_id, id, created_at, $2, decode(repeat('00', 16), 'hex') FROM audit.events WHERE id = $1
     ON CONFLICT DO NOTHING`,
    [event.id, ADDRESS],
  );
  expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({ ip_address: ADDRESS });
  return event.id;
}

/** The address as each way of reading shows it. */
async function shownAddresses(id: string): Promise<unknown[]> {
  const one = await client.get(`/v1/events/${id}`);
  const list = await client.get('/v1/events?limit=200');
  const [row] = await deployment.database.owner.query(
    'SELECT ip_address FROM audit.audit_logs WHERE id = $1',
    [id],
  );
  const listed = list.body.data.find((event: { id: string }) => event.id === id);
  return [one.body.context.ip_address, listed.context.ip_address, row?.['ip_address']];
}

describe('an IP address', () => {
  test.each([
    ['0 days', 0],
    ['89 days', 89 * DAY],
    ['90 days less a minute', 90 * DAY - MINUTE],
  ])('of an event %s old is shown', async (_, age) => {
    const id = await agedEvent(age);
    expect(await shownAddresses(id)).toEqual([ADDRESS, ADDRESS, ADDRESS]);
  });

  test.each([
    ['90 days and a second', 90 * DAY + 1000],
    ['91 days', 91 * DAY],
    ['200 days', 200 * DAY],
  ])('of an event %s old is not, though it may still be on disk', async (_, age) => {
    const id = await agedEvent(age);
    expect(await shownAddresses(id)).toEqual(['[anonymized]', '[anonymized]', '[anonymized]']);
    const answers = [
      await client.get(`/v1/events/${id}`),
      await client.get(`/v1/events?to=${new Date(Date.now() - 90 * DAY).toISOString()}`),
    ];
    for (const { body } of answers) expect(JSON.stringify(body)).not.toContain(ADDRESS);
  });

  test('leaves its commitment and the leaf hash where they were', async () => {
    const id = await agedEvent(91 * DAY + MINUTE);
    const stored = await storedEvent(deployment, 'acme', id);
    const { body } = await client.get(`/v1/events/${id}`);
    expect(body.leaf_hash).toBe(stored?.['leaf_hash']);
    expect(body.commitments.ip).toMatch(/^[0-9a-f]{64}$/);
  });

  test('that was never there is null, however old the event', async () => {
    const at = Date.now() - 91 * DAY;
    await makePartitions(at);
    const event = withAddress(ADDRESS, { at, workspaceId: 'globex' });
    await appendRows(deployment.database.owner, [event]);
    // Past its time it is not stored at all.
    expect(await storedEvent(deployment, 'globex', event.id)).toMatchObject({ ip_address: null });
    const globex = clientOf(deployment, await deployment.key({ workspaces: ['globex'] }));
    expect((await globex.get(`/v1/events/${event.id}`)).body.context.ip_address).toBe('[anonymized]');
  });
});
