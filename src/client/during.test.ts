import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LOGIN, setUp, stored, times, type Answer } from './daybook.fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const DOWN = new TypeError('down');
/** Of a request that nobody waits for. */
const REQUEST = { waitUntil() {} };

describe('the loggers of requests', () => {
  test.each([
    ['events', { events: 100 }, 100],
    ['characters', { characters: 20_000 }, 90],
  ])('share the bound of %s and the counts with the one they came from', async (_what, buffer, most) => {
    const { audit, logger } = setUp({ buffer }, () => DOWN);
    times(300, () => audit.during(REQUEST).log({ ...LOGIN, reason: 'x'.repeat(100) }));
    const ofRequest = audit.during(REQUEST);
    times(10, () => ofRequest.log(LOGIN));
    const { buffered, dropped } = audit.counts;
    expect(buffered).toBeLessThanOrEqual(most);
    expect(buffered).toBeGreaterThan(most / 2);
    expect(buffered + dropped).toBe(310);
    expect(ofRequest.counts).toEqual(audit.counts);
    expect(logger.error).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(logger.warn).toHaveBeenCalledTimes(1);
  });

  test('lose their oldest to newer events of others, where that was asked for', async () => {
    const { audit, batches } = setUp({ drop: 'oldest', buffer: { events: 3 } });
    times(5, (n) => audit.during(REQUEST).log({ ...LOGIN, metadata: { n } }));
    await vi.advanceTimersByTimeAsync(1);
    expect(batches.flat().map(({ metadata }) => metadata?.['n'])).toEqual([2, 3, 4]);
  });

  test('are flushed and closed with it, and take in nothing more', async () => {
    let isDown = true;
    const { audit, batches } = setUp({}, (events) => (isDown ? DOWN : stored(events)));
    const ofRequest = audit.during(REQUEST);
    ofRequest.log(LOGIN);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await Promise.race([audit.flush({ timeout: 100 }), vi.advanceTimersByTimeAsync(100)])).toBe(false);
    isDown = false;
    const closed = audit.close();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await closed).toBe(true);
    const sent = batches.length;
    ofRequest.log(LOGIN);
    audit.during(REQUEST).log(LOGIN);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(batches).toHaveLength(sent);
    expect(audit.counts).toEqual({ buffered: 0, stored: 1, refused: 0, dropped: 2 });
  });

  test('try nothing again once it has ended', async () => {
    const { audit, batches } = setUp({}, () => DOWN);
    times(3, () => audit.during(REQUEST).log(LOGIN));
    const closed = audit.close({ timeout: 1000 });
    await vi.advanceTimersByTimeAsync(1000);
    expect(await closed).toBe(false);
    expect(audit.counts).toMatchObject({ buffered: 0, dropped: 3 });
    const sent = batches.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(batches).toHaveLength(sent);
  });

  test('end without the one they came from', async () => {
    const { audit } = setUp();
    const ofRequest = audit.during(REQUEST);
    const closed = ofRequest.close();
    await vi.advanceTimersByTimeAsync(1);
    expect(await closed).toBe(true);
    ofRequest.log(LOGIN);
    audit.log(LOGIN);
    await vi.advanceTimersByTimeAsync(200);
    expect(audit.counts).toMatchObject({ stored: 1, dropped: 1 });
  });

  test('leave no room taken by what never is answered, and count it when it is', async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const { audit } = setUp({ buffer: { events: 1 }, fetch: () => promise });
    const promises: Promise<unknown>[] = [];
    audit.during({ waitUntil: (work) => void promises.push(work) }).log(LOGIN);
    await vi.advanceTimersByTimeAsync(25_000);
    await Promise.all(promises);
    expect(audit.counts).toMatchObject({ buffered: 1, dropped: 0 });
    audit.log(LOGIN);
    expect(audit.counts).toMatchObject({ buffered: 2, dropped: 0 });
    resolve(new Response('', { status: 500 }));
    await vi.advanceTimersByTimeAsync(0);
    expect(audit.counts).toMatchObject({ buffered: 1, dropped: 1 });
  });
});

describe('the logger of one request', () => {
  const UNAVAILABLE: Answer = {
    status: 503,
    body: { code: 'unavailable' },
    headers: { 'Retry-After': '10' },
  };

  test('tries few times while Daybook is down, however much is logged', async () => {
    const { audit, batches } = setUp({}, () => DOWN);
    const ofRequest = audit.during(REQUEST);
    for (let n = 0; n < 100; n += 1) {
      ofRequest.log(LOGIN);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(batches.length).toBeLessThanOrEqual(3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(audit.counts).toMatchObject({ buffered: 0, dropped: 100 });
    expect(batches.length).toBeLessThan(20);
  });

  test('tries when Daybook said that it may', async () => {
    const { audit, batches } = setUp({}, () => UNAVAILABLE);
    const ofRequest = audit.during(REQUEST);
    times(100, () => ofRequest.log(LOGIN));
    await vi.advanceTimersByTimeAsync(9990);
    expect(batches).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(15_010);
    expect(batches.length).toBeLessThanOrEqual(6);
  });

  test('knows of an outage that another one found, and tries once more before its time is over', async () => {
    const { audit, batches } = setUp({}, () => UNAVAILABLE);
    // Of requests that began before it.
    const others = Array.from({ length: 20 }, () => audit.during(REQUEST));
    audit.during(REQUEST).log(LOGIN);
    await vi.advanceTimersByTimeAsync(1);
    for (const ofRequest of others) ofRequest.log(LOGIN);
    await vi.advanceTimersByTimeAsync(9000);
    expect(batches).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(16_000);
    expect(batches.length).toBeGreaterThan(20);
    expect(audit.counts).toMatchObject({ buffered: 0, dropped: 21 });
  });

  test('has the platform wait once for all that it logs, with a few timers', async () => {
    const { audit, batches } = setUp();
    const promises: Promise<unknown>[] = [];
    const ofRequest = audit.during({ waitUntil: (promise) => void promises.push(promise) });
    times(4000, () => ofRequest.log(LOGIN));
    await Promise.resolve();
    expect([promises.length, vi.getTimerCount()]).toEqual([1, 2]);
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all(promises);
    expect(batches.map(({ length }) => length)).toEqual(Array(8).fill(500));
    expect(vi.getTimerCount()).toBe(0);
    ofRequest.log(LOGIN);
    expect(promises).toHaveLength(2);
  });

  test('gives what it logs later a time of its own', async () => {
    let isDown = true;
    const { audit } = setUp({}, (events) => (isDown ? DOWN : stored(events)));
    const promises: Promise<unknown>[] = [];
    const ofRequest = audit.during({ waitUntil: (promise) => void promises.push(promise) });
    ofRequest.log(LOGIN);
    await vi.advanceTimersByTimeAsync(24_900);
    ofRequest.log({ ...LOGIN, action: 'late' });
    await vi.advanceTimersByTimeAsync(200);
    expect(audit.counts).toMatchObject({ buffered: 1, dropped: 1 });
    isDown = false;
    await vi.advanceTimersByTimeAsync(25_000);
    await Promise.all(promises);
    expect(audit.counts).toMatchObject({ buffered: 0, stored: 1, dropped: 1 });
  });

  test('that is over already waits for as long as the process lives', async () => {
    let isDown = true;
    const { audit } = setUp({}, (events) => (isDown ? DOWN : stored(events)));
    const over = () => {
      throw new Error('the request is over');
    };
    audit.during({ waitUntil: over }).log(LOGIN);
    await vi.advanceTimersByTimeAsync(60_000);
    isDown = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(audit.counts).toMatchObject({ stored: 1, dropped: 0 });
  });
});

describe('the waitUntil of the platform', () => {
  test('is called by each turn that logs, which sends for itself at once', async () => {
    const promises: Promise<unknown>[] = [];
    const { audit, batches } = setUp({
      linger: 60_000,
      waitUntil: (promise) => void promises.push(promise),
    });
    times(3, () => audit.with({ workspace_id: 'acme' }).log(LOGIN));
    await Promise.resolve();
    const recorded = audit.record(LOGIN);
    expect(promises).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all(promises);
    expect(batches.map(({ length }) => length)).toEqual([3, 1]);
    expect((await recorded).result).toBe('committed');
  });
});

describe('where a request ends with all that it began', () => {
  test('a timer of it is missed, and another one sends', async () => {
    const { audit } = setUp();
    audit.log(LOGIN);
    vi.clearAllTimers();
    await vi.advanceTimersByTimeAsync(2000);
    audit.log(LOGIN);
    await vi.advanceTimersByTimeAsync(200);
    expect(audit.counts).toMatchObject({ stored: 2, buffered: 0 });
  });

  test('an answer to it is missed, and what it sent is sent again', async () => {
    let isGone = true;
    const { audit } = setUp({
      fetch: (_url, init) => {
        if (isGone) return new Promise(() => {});
        const { events } = JSON.parse(String(init?.body));
        const { status, body } = stored(events) as { status: number; body: unknown };
        return Promise.resolve(Response.json(body, { status }));
      },
    });
    audit.log(LOGIN);
    await vi.advanceTimersByTimeAsync(20_000);
    isGone = false;
    audit.log(LOGIN);
    await vi.advanceTimersByTimeAsync(200);
    expect(audit.counts).toMatchObject({ stored: 2, buffered: 0 });
  });
});
