import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAudit } from '../../src/client/index.ts';
import { deploy, type Deployment } from '../support/deployment.ts';

let daybook: Deployment;
let apiKey: string;

beforeAll(async () => {
  daybook = await deploy();
  apiKey = await daybook.key({ scopes: ['events:write'] });
});
afterAll(() => daybook.close());

const silent = { warn() {}, error() {} };
const LOGIN = { action: 'login', actor: { type: 'user', id: 'u1' }, target: { type: 'session' } } as const;

async function stored(action: string): Promise<number> {
  const [row] = await daybook.database.superuser.query(
    'SELECT count(*)::int AS count FROM audit.events WHERE action = $1',
    [action],
  );
  return row?.['count'];
}

function auditOf(options: Partial<Parameters<typeof createAudit>[0]> = {}) {
  return createAudit({ url: daybook.url, apiKey, logger: silent, flushOnExit: false, ...options });
}

describe('the client, with a deployment', () => {
  test('stores what is logged, once, and gives receipts to those who want them', async () => {
    const audit = auditOf();
    for (let n = 0; n < 1200; n += 1) audit.log({ ...LOGIN, action: 'client.logged', metadata: { n } });
    const receipt = await audit.record({ ...LOGIN, action: 'client.logged', metadata: { password: 'p' } });
    expect(await audit.close()).toBe(true);
    expect(receipt).toMatchObject({ workspace_id: 'acme', result: 'committed' });
    expect(receipt.leaf_hash).toMatch(/^[0-9a-f]{64}$/);
    expect(audit.counts).toEqual({ buffered: 0, stored: 1201, refused: 0, dropped: 0 });
    expect(await stored('client.logged')).toBe(1201);
  });

  test('leaves one copy where answers are lost', async () => {
    let lost = 0;
    const audit = auditOf({
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        if ((lost += 1) <= 2) throw new TypeError(`the connection broke after ${response.status}`);
        return response;
      },
    });
    for (let n = 0; n < 50; n += 1) audit.log({ ...LOGIN, action: 'client.lost' });
    expect(await audit.close()).toBe(true);
    expect(lost).toBeGreaterThan(2);
    expect(await stored('client.lost')).toBe(50);
  });

  test('keeps what is logged while the database is away, and loses and doubles nothing', async () => {
    const audit = auditOf();
    daybook.database.endpoint.intercept = () => ({ kind: 'refuse' });
    for (let n = 0; n < 400; n += 1) audit.log({ ...LOGIN, action: 'client.outage', metadata: { n } });
    expect(await audit.flush({ timeout: 3000 })).toBe(false);
    expect(audit.counts).toEqual({ buffered: 400, stored: 0, refused: 0, dropped: 0 });
    daybook.database.endpoint.intercept = undefined;
    expect(await audit.close({ timeout: 30_000 })).toBe(true);
    expect([audit.counts.stored, await stored('client.outage')]).toEqual([400, 400]);
  });

  test('tells which field of which event is wrong, and stores the others', async () => {
    const lines: string[] = [];
    const audit = auditOf({ logger: { warn() {}, error: (line) => lines.push(String(line)) } });
    for (const action of ['client.good', 'not an action', 'client.good']) audit.log({ ...LOGIN, action });
    await audit.close();
    expect(audit.counts).toMatchObject({ stored: 2, refused: 1 });
    expect(lines).toEqual([expect.stringContaining('/action')]);
    expect(await stored('client.good')).toBe(2);
  });
});

test('with nobody at the address, the caller goes on and memory stays bounded', async () => {
  const audit = createAudit({
    url: 'http://127.0.0.1:9',
    apiKey,
    logger: silent,
    flushOnExit: false,
    buffer: { events: 500 },
  });
  for (let n = 0; n < 20_000; n += 1) audit.log(LOGIN);
  await sleep(300);
  expect(audit.counts).toEqual({ buffered: 500, stored: 0, refused: 0, dropped: 19_500 });
  expect(await audit.close({ timeout: 100 })).toBe(false);
});
