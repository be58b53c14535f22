import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestHarness, type TestHarness } from 'wrangler';

let daybook: Server;
let worker: TestHarness;
let url: URL;
let isDown = false;
let batches: number[] = [];

beforeAll(async () => {
  daybook = createServer(async (request, response) => {
    const { events } = (await json(request)) as { events: { id: string }[] };
    batches.push(events.length);
    if (isDown) {
      response.writeHead(503, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ code: 'unavailable' }));
      return;
    }
    const results = events.map(({ id }, index) => ({ index, result: 'committed', receipt: { id } }));
    response.end(JSON.stringify({ results }));
  }).listen(0, '127.0.0.1');
  await once(daybook, 'listening');
  const { port } = daybook.address() as AddressInfo;
  worker = createTestHarness({
    workers: [
      {
        configPath: new URL('worker/wrangler.toml', import.meta.url).pathname,
        vars: { DAYBOOK_URL: `http://127.0.0.1:${port}` },
      },
    ],
  });
  ({ url } = await worker.listen());
});
afterAll(async () => {
  await worker.close();
  daybook.close();
});
beforeEach(() => {
  isDown = false;
  batches = [];
});

interface Counts {
  flushed?: boolean;
  buffered: number;
  stored: number;
  dropped: number;
}

const get = async (path: string) => (await (await fetch(new URL(path, url))).json()) as Counts;
const settled = (path: string, counts: Partial<Counts>) =>
  vi.waitFor(async () => expect(await get(path)).toMatchObject({ buffered: 0, ...counts }), {
    timeout: 10_000,
    interval: 50,
  });

describe('in workerd', () => {
  test('a request that logs without its waitUntil does not stop the logger for those after it', async () => {
    await get('/root?log=1');
    // Its timer ended with it.
    await sleep(1200);
    expect(batches).toEqual([]);
    expect(await get('/root?log=1&flush')).toMatchObject({ flushed: true, stored: 2, buffered: 0 });
    expect(batches).toEqual([2]);
  });

  test('the short calls send within the request that calls, by the waitUntil of the platform', async () => {
    await get('/bound?log=3');
    await settled('/bound', { stored: 3 });
    expect(batches).toEqual([3]);
    await get('/bound?log=2');
    await settled('/bound', { stored: 5 });
  });

  test('the logger of a request bundles what it logs', async () => {
    await get('/during?log=1200');
    await settled('/during', { stored: 1200 });
    expect(batches).toEqual([500, 500, 200]);
  });

  test('the logger of a request makes few requests in an outage, and stores all when that is over', async () => {
    const { stored } = await get('/during');
    isDown = true;
    await get('/during?log=100&turns');
    await sleep(3000);
    expect(batches.length).toBeLessThanOrEqual(5);
    isDown = false;
    await settled('/during', { stored: stored + 100, dropped: 0 });
    expect(batches.length).toBeLessThanOrEqual(6);
  });
});
