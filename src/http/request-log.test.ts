import { Hono } from 'hono';
import { requestId } from 'hono/request-id';
import { afterEach, expect, test, vi } from 'vitest';
import { requestLog } from './request-log.ts';

afterEach(() => vi.restoreAllMocks());

/** @returns the line of a request, and how the id that was answered relates to it */
async function lineOf(path: string, init: RequestInit = {}) {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const app = new Hono();
  app.use(requestId(), requestLog());
  app.all('/things/:id{(?!all$)[^/]+}/parts/:part', (c) => c.text('', 202, { 'Daybook-Ack': 'queued' }));
  await app.request(path, init);
  expect(log).toHaveBeenCalledTimes(1);
  return JSON.parse(String(log.mock.calls[0]?.[0]));
}

test('a line names the route by its pattern', async () => {
  expect(await lineOf('/things/secret/parts/7?q=secret', { headers: { 'X-Request-Id': 'r-1' } })).toEqual({
    event: 'request',
    request_id: 'r-1',
    method: 'GET',
    route: '/things/:id/parts/:part',
    status: 202,
    ms: expect.any(Number),
    ack: 'queued',
  });
});

test('a line names no route where none answered', async () => {
  expect(await lineOf('/secret')).not.toHaveProperty('route');
});

test('a line names no method that HTTP does not know', async () => {
  expect(await lineOf('/things/1/parts/2', { method: 'SECRET' })).toMatchObject({ method: 'other' });
});

test.each(['a b', 'ada@example.com', 'ü', 'r'.repeat(256), '"}'])(
  'a line has an id of ours in place of %s',
  async (id) => {
    const headers = { 'X-Request-Id': encodeURI(id) };
    expect((await lineOf('/secret', { headers })).request_id).toMatch(/^[0-9a-f-]{36}$/);
  },
);
