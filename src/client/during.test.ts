import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LOGIN, setUp, stored, times } from './daybook.fixture.ts';

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
