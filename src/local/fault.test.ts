import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CannotListen, type Endpoint, startEndpoint } from './endpoint.ts';
import type { Fault, SqlRequest } from './fault.ts';
import { postStub, stubConnectionString, StubEngine } from '../../test/support/stub-engine.ts';

describe('a fault', () => {
  let engine: StubEngine;
  let endpoint: Endpoint;

  beforeEach(async () => {
    engine = new StubEngine();
    endpoint = await startEndpoint({ engine });
  });
  afterEach(() => endpoint.close());

  function order(fault: Fault): void {
    endpoint.intercept = () => fault;
  }

  test('is ordered per request', async () => {
    const seen: SqlRequest[] = [];
    endpoint.intercept = (request) => {
      seen.push(request);
      return request.sequence === 2 ? { kind: 'unavailable' } : undefined;
    };
    const body = JSON.stringify({ queries: [{ query: 'a', params: [1] }, { query: 'b' }] });
    const answers = [
      await postStub(endpoint.url),
      await postStub(endpoint.url, { body }),
      await postStub(endpoint.url),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 500, 200]);
    expect(seen.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(seen[1]?.statements).toMatchObject([
      { query: 'a', params: ['1'] },
      { query: 'b', params: [] },
    ]);
    expect([endpoint.requests, endpoint.statements]).toEqual([3, 4]);
  });

  test('may refuse: the connection breaks and nothing has run', async () => {
    order({ kind: 'refuse' });
    await expect(postStub(endpoint.url)).rejects.toThrow('fetch failed');
    expect(engine.runs).toHaveLength(0);
  });

  test('may break the connection when half of the body has come', async () => {
    endpoint.interceptHead = () => ({ kind: 'reset-mid-request' });
    const body = JSON.stringify({ query: 'select 1', params: ['x'.repeat(100_000)] });
    const headers = { 'Neon-Connection-String': stubConnectionString, 'Content-Length': body.length };
    const sending = request(endpoint.url, { method: 'POST', headers });
    // The other half is never sent: whoever waits for it waits for ever.
    sending.write(body.slice(0, body.length / 2));
    const [error] = await once(sending, 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect([engine.runs.length, endpoint.requests]).toEqual([0, 0]);
  });

  test('may hang until the client gives up', async () => {
    const asked = Promise.withResolvers<void>();
    endpoint.intercept = () => {
      asked.resolve();
      return { kind: 'hang' };
    };
    const patience = new AbortController();
    const answer = postStub(endpoint.url, { signal: patience.signal });
    await asked.promise;
    patience.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    expect(engine.runs).toHaveLength(0);
  });

  test('that hangs ends with the endpoint', async () => {
    const asked = Promise.withResolvers<void>();
    endpoint.intercept = () => {
      asked.resolve();
      return { kind: 'hang' };
    };
    const answer = postStub(endpoint.url);
    const closed = asked.promise.then(() => endpoint.close());
    await expect(answer).rejects.toThrow('fetch failed');
    await closed;
  });

  test("may answer 500 in Neon's shape before anything runs", async () => {
    order({ kind: 'unavailable', message: 'too many requests' });
    const response = await postStub(endpoint.url);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ message: 'too many requests', code: '', detail: null });
    expect(engine.runs).toHaveLength(0);
  });

  test('may break the connection after all has run', async () => {
    order({ kind: 'reset-after-commit' });
    await expect(postStub(endpoint.url)).rejects.toThrow('fetch failed');
    expect(engine.runs).toHaveLength(1);
  });

  test('may answer an error after all has run', async () => {
    order({ kind: 'error-after-commit' });
    const shutDown = await postStub(endpoint.url);
    expect(shutDown.status).toBe(400);
    expect(await shutDown.json()).toMatchObject({ code: '57P01', severity: 'FATAL' });
    order({ kind: 'error-after-commit', error: { message: 'connection closed', code: '', severity: '' } });
    expect(await (await postStub(endpoint.url)).json()).toMatchObject({
      message: 'connection closed',
      code: '',
    });
    expect(engine.runs).toHaveLength(2);
  });

  test('may delay the statements and the answer', async () => {
    order({ kind: 'delay', beforeMs: 30, afterMs: 30 });
    endpoint.delayMs = 30;
    const start = performance.now();
    await (await postStub(endpoint.url)).json();
    // Timers may fire a millisecond early by the clock.
    expect(performance.now() - start).toBeGreaterThanOrEqual(87);
  });

  test('is not needed for the engine to learn that the client is gone', async () => {
    const started = Promise.withResolvers<void>();
    engine.answer = () => {
      started.resolve();
      return new Promise(() => {});
    };
    const patience = new AbortController();
    const answer = postStub(endpoint.url, { signal: patience.signal });
    await started.promise;
    const signal = engine.runs[0]?.request.signal;
    patience.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    if (!signal?.aborted) await once(signal ?? new EventTarget(), 'abort');
    expect(signal?.aborted).toBe(true);
  });

  test('in the test itself is a 500 and is reported', async () => {
    const report = vi.spyOn(console, 'error').mockImplementation(() => {});
    endpoint.intercept = () => Promise.reject(new Error('bad test'));
    expect((await postStub(endpoint.url)).status).toBe(500);
    expect(report).toHaveBeenCalledOnce();
    report.mockRestore();
  });

  test('of the port being in use is told', async () => {
    const second = startEndpoint({ engine, port: endpoint.port });
    await expect(second).rejects.toBeInstanceOf(CannotListen);
    await expect(second).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `cannot listen on 127.0.0.1:${endpoint.port}: the port is in use`,
    });
  });

  test('does not keep the endpoint from closing twice', async () => {
    await endpoint.close();
    await endpoint.close();
    await expect(postStub(endpoint.url)).rejects.toThrow('fetch failed');
  });
});
