import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Fault } from '../../src/local/fault.ts';
import { anEvent, clientOf, type Answer, type Client } from '../support/client.ts';
import { deploy, type Deployment } from '../support/deployment.ts';
import { storedEvent } from '../support/stored.ts';

const COMMITTED = '/v1/events?ack=committed';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await deploy();
  client = clientOf(deployment, await deployment.key());
  expect((await client.get('/v1/events')).status).toBe(200);
});
afterEach(() => {
  deployment.database.endpoint.intercept = undefined;
});
afterAll(() => deployment.close());

/** Lets the statements that match go wrong, the first `times` times. */
function order(fault: Fault, times = Infinity, matching = /audit\./): void {
  let left = times;
  deployment.database.endpoint.intercept = ({ statements }) => {
    if (left === 0 || !statements.some(({ query }) => matching.test(query))) return undefined;
    left -= 1;
    return fault;
  };
}

const TELLTALE = 'duplicate key value "telltale" of SELECT * FROM audit.events';
/** SQL, names of ours and of the driver's, stacks, addresses, credentials. */
const LEAKS =
  /telltale|select |insert |audit\.|append|neon|drizzle|postgres|pglite|daybook_app|127\.0\.0\.1:(?!port)|\bat .*\.[jt]s\b|fetch failed|\.ts:\d/i;

function expectNoLeak({ body }: Answer): void {
  const text = JSON.stringify(body).replaceAll(deployment.url, '');
  expect(text).not.toMatch(LEAKS);
}

const detailed = { message: TELLTALE, detail: TELLTALE, hint: TELLTALE, where: TELLTALE, severity: 'ERROR' };
const faults: [string, Fault][] = [
  ['refuses the connection', { kind: 'refuse' }],
  ['is unavailable', { kind: 'unavailable', message: TELLTALE }],
  ['breaks off after the commit', { kind: 'reset-after-commit' }],
  ['is shut down after the commit', { kind: 'error-after-commit', error: { ...detailed, code: '57P01' } }],
  ['lacks a function', { kind: 'error-after-commit', error: { ...detailed, code: '42883' } }],
  ['fails within', { kind: 'error-after-commit', error: { ...detailed, code: 'XX000' } }],
];

describe.each(faults)('when the database %s', (_, fault) => {
  test('reading answers 503 without a word of it', async () => {
    order(fault, Infinity, /"?events"?/);
    for (const path of ['/v1/events', `/v1/events/${anEvent().id}`]) {
      const answer = await client.get(path);
      expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
      expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
      expectNoLeak(answer);
    }
  });

  test('once or twice, an event is committed all the same, once', async () => {
    order(fault, 2, /audit\.append/);
    const event = anEvent({ context: { ip_address: '203.0.113.7' } });
    const answer = await client.post(COMMITTED, event);
    expect([answer.status, answer.body.result]).toEqual([201, 'committed']);
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({
      leaf_hash: answer.body.leaf_hash,
      pending: 1,
    });
  });

  test('the operator is told no more', async () => {
    order(fault, Infinity, /retention/);
    const operator = clientOf(deployment, deployment.operatorKey);
    for (const answer of [
      await operator.get('/v1/retention'),
      await operator.send('POST', '/v1/retention/run'),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
      expectNoLeak(answer);
    }
  });
});

describe('when the database refuses an event', () => {
  const refusals = ['22P02', '23502', '23505', '54000'].map((code): [string, Fault] => [
    code,
    { kind: 'error-after-commit', error: { ...detailed, code, constraint: 'events_pkey' } },
  ]);

  test.each(refusals)('with %s, one event is 422 without a word of it', async (_, fault) => {
    order(fault, Infinity, /audit\.append/);
    const answer = await client.post(COMMITTED, anEvent());
    expect([answer.status, answer.body.code]).toEqual([422, 'refused_event']);
    expectNoLeak(answer);
  });

  test.each(refusals)('with %s, an atomic batch is 422 without a word of it', async (_, fault) => {
    order(fault, Infinity, /audit\.append/);
    const answer = await client.post('/v1/events/batch?atomic=true', { events: [anEvent(), anEvent()] });
    expect([answer.status, answer.body.code]).toEqual([422, 'refused_event']);
    expectNoLeak(answer);
  });

  test('its neighbours in the batch are stored', async () => {
    const events = Array.from({ length: 8 }, () => anEvent());
    const bad = events[5]?.id ?? '';
    const refused: Fault = { kind: 'error-after-commit', error: { ...detailed, code: '22P02' } };
    deployment.database.endpoint.intercept = ({ statements }) =>
      statements.some(({ params }) => params.some((param) => param?.includes(bad))) ? refused : undefined;
    const answer = await client.post('/v1/events/batch?ack=committed', { events });
    deployment.database.endpoint.intercept = undefined;
    expect(answer.status).toBe(207);
    expect(answer.body).toMatchObject({ accepted: 7, rejected: 1 });
    expect(answer.body.results[5]).toMatchObject({
      index: 5,
      result: 'rejected',
      problem: { code: 'refused_event' },
    });
    for (const { id } of events.filter(({ id }) => id !== bad)) {
      expect(await storedEvent(deployment, 'acme', id)).toMatchObject({ pending: 1 });
    }
  });
});

describe('what the Worker logs', () => {
  test('holds no password and no payload', async () => {
    order({ kind: 'unavailable', message: TELLTALE }, 1);
    const event = anEvent({ reason: 'a private matter' });
    await client.post(COMMITTED, event);
    const logs = JSON.stringify(deployment.harness.getLogs());
    expect(logs).not.toContain('daybook_app:');
    expect(logs).not.toContain('a private matter');
    expect(logs).not.toContain('telltale');
  });
});
