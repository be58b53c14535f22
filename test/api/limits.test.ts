import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { anEvent, clientOf, type Answer } from '../support/client.ts';
import { deploy, type Deployment } from '../support/deployment.ts';
import { countEvents, storedEvent } from '../support/stored.ts';

const MIB = 1024 * 1024;
const COMMITTED = '/v1/events?ack=committed';
const BATCH = '/v1/events/batch?ack=committed';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await deploy({ rateLimit: 20, vars: { DAYBOOK_DEFAULT_ACK: 'queued' } });
});
afterAll(() => deployment.close());

test('where a request asks for no ack, it gets the one of DAYBOOK_DEFAULT_ACK', async () => {
  const client = clientOf(deployment, await deployment.key());
  const usual = await client.post('/v1/events', anEvent());
  expect([usual.status, usual.headers.get('Daybook-Ack'), usual.body.result]).toEqual([
    202,
    'queued',
    'queued',
  ]);
  const asked = await client.post('/v1/events?ack=accepted', anEvent());
  expect([asked.headers.get('Daybook-Ack'), asked.body.result]).toEqual(['accepted', 'accepted']);
  const atomic = await client.post('/v1/events/batch?atomic=true', { events: [anEvent()] });
  expect([atomic.status, atomic.headers.get('Daybook-Ack')]).toEqual([201, 'committed']);
});

describe('a key that sends more requests than it may', () => {
  test('gets 429 and stores nothing with them, while others go on', async () => {
    const client = clientOf(deployment, await deployment.key({ workspaces: ['busy'] }));
    const answers: Answer[] = [];
    const ten = () => Promise.all(Array.from({ length: 10 }, () => client.post(COMMITTED, anEvent())));
    // 20 pass in each window of the limiter, which may end meanwhile.
    while (answers.length < 400 && !answers.some(({ status }) => status === 429))
      answers.push(...(await ten()));
    expect(answers.length).toBeGreaterThan(20);
    answers.push(...(await ten()));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).not.toHaveLength(0);
    for (const { status, headers, body } of refused) {
      expect([status, body.code, headers.get('Retry-After')]).toEqual([429, 'rate_limited', '10']);
      expect(headers.get('Content-Type')).toBe('application/problem+json');
    }
    expect(await countEvents(deployment, 'busy')).toBe(answers.length - refused.length);

    // The same workspace with another key, the operator, and nobody at all.
    const other = clientOf(deployment, await deployment.key({ workspaces: ['busy'] }));
    expect((await other.post(COMMITTED, anEvent())).status).toBe(201);
    expect((await clientOf(deployment, deployment.operatorKey).get('/v1/retention')).status).toBe(200);
    expect((await clientOf(deployment, undefined).post(COMMITTED, anEvent())).status).toBe(401);
  });
});

describe('bodies that begin and then stall', () => {
  const open: Slow[] = [];
  afterEach(() => {
    for (const { socket } of open.splice(0)) socket.destroy();
  });

  interface Slow {
    socket: Socket;
    /** what was answered so far */
    answer(): string;
  }

  /** Sends the head of a request and the beginning of its body. */
  async function begin(key: string, length: string, start: string, path = BATCH): Promise<Slow> {
    const { hostname, port, host } = new URL(deployment.url);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.on('error', () => {});
    await once(socket, 'connect');
    const head = [`POST ${path} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${key}`, length];
    socket.write(`${head.join('\r\n')}\r\nContent-Type: application/json\r\n\r\n${start}`);
    const slow = { socket, answer: () => answer };
    open.push(slow);
    return slow;
  }

  test.each([
    ['that say their length', `Content-Length: ${4 * MIB}`, '{"events":['],
    ['that do not say their length', 'Transfer-Encoding: chunked', 'b\r\n{"events":[\r\n'],
  ])('%s leave room for other keys, and for their own once they end', async (_, length, start) => {
    const key = await deployment.key();
    const client = clientOf(deployment, key);
    const slow = await Promise.all(Array.from({ length: 8 }, () => begin(key, length, start)));
    // Three bodies of 4 MiB fit into the key's share of 12 MiB; the others are refused before they are sent.
    const answered = () => slow.filter(({ answer }) => answer().includes('\r\n\r\n'));
    await vi.waitFor(() => expect(answered()).toHaveLength(5), 10_000);
    for (const { answer } of answered())
      expect(answer()).toMatch(/^HTTP\/1\.1 503 [^]*\nRetry-After: 1\r\n/i);
    expect((await client.post(COMMITTED, anEvent())).status).toBe(503);

    const other = clientOf(deployment, await deployment.key());
    const startedAt = performance.now();
    for (const event of [anEvent(), anEvent(), anEvent()]) {
      expect((await other.post(COMMITTED, event)).status).toBe(201);
      expect(await storedEvent(deployment, 'acme', event.id)).toBeDefined();
    }
    expect(performance.now() - startedAt).toBeLessThan(5000);
    const large = JSON.stringify({ events: [anEvent()] }).padEnd(4 * MIB);
    expect((await other.post(BATCH, large)).status).toBe(201);

    for (const { socket } of slow) socket.destroy();
    const event = anEvent();
    await vi.waitFor(async () => expect((await client.post(COMMITTED, event)).status).toBe(201), {
      timeout: 5000,
      interval: 200,
    });
    expect(await storedEvent(deployment, 'acme', event.id)).toBeDefined();
  });

  test('are stored when the rest comes', async () => {
    const event = anEvent();
    const text = JSON.stringify({ events: [event] });
    const slow = await begin(await deployment.key(), `Content-Length: ${text.length}`, text.slice(0, 20));
    slow.socket.write(text.slice(20));
    await vi.waitFor(() => expect(slow.answer()).toMatch(/^HTTP\/1\.1 201 /), 5000);
    expect(await storedEvent(deployment, 'acme', event.id)).toBeDefined();
  });

  test('of one key that manages catalogues leave room for others, in what all routes have together', async () => {
    const actions = '/v1/actions?workspace_id=acme';
    const scopes = ['catalogue:manage' as const];
    const [one, other, writer] = [
      await deployment.key({ scopes }),
      await deployment.key({ scopes }),
      await deployment.key(),
    ];
    const beginAll = (key: string, count: number, bytes: number, path: string) =>
      Promise.all(Array.from({ length: count }, () => begin(key, `Content-Length: ${bytes}`, '{', path)));
    const slow = await beginAll(one, 13, MIB, actions);
    const refused = () => slow.filter(({ answer }) => answer().startsWith('HTTP/1.1 503'));
    await vi.waitFor(() => expect(refused()).toHaveLength(1), 10_000);
    expect((await clientOf(deployment, other).post(actions, {})).status).toBe(200);

    const third = clientOf(deployment, await deployment.key());
    const large = () => JSON.stringify({ events: [anEvent()] }).padEnd(4 * MIB);
    expect((await third.post(BATCH, large())).status).toBe(201);
    await beginAll(writer, 3, 4 * MIB, BATCH);
    await vi.waitFor(async () => expect((await third.post(BATCH, large())).status).toBe(503), {
      timeout: 5000,
      interval: 300,
    });
  });
});
