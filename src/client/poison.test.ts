import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LOGIN, setUp, stored, times, type Answer, type Sent } from './daybook.fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MINUTE = 60_000;
const isPoison = ({ action }: Sent) => action === 'poison';

/** What reached Daybook, each id once. */
function takenBy(batches: Sent[][], isTaken: (batch: Sent[]) => boolean): Set<string> {
  return new Set(batches.filter(isTaken).flatMap((batch) => batch.map(({ id }) => id)));
}

describe('an event that something in front of Daybook fails for', () => {
  test.each<[string, Answer]>([
    ['a firewall answers 403 with a page', { status: 403, body: '<html>' }],
    ['a firewall answers 403 with JSON of its own', { status: 403, body: { code: 1020 } }],
    ['Daybook answers 500 each time', { status: 500, body: { code: 'internal_error' } }],
    ['a proxy answers 503 without a word of Daybook', { status: 503, body: 'error code: 1102' }],
    ['no answer comes in time', new DOMException('15 s', 'TimeoutError')],
  ])('(%s) holds up no others, and is kept', async (_what, failure) => {
    const { audit, batches } = setUp({}, (events) => (events.some(isPoison) ? failure : stored(events)));
    times(500, (n) => audit.log({ ...LOGIN, action: n === 333 ? 'poison' : 'login' }));
    await vi.advanceTimersByTimeAsync(MINUTE / 2);
    expect(audit.counts).toEqual({ buffered: 1, stored: 499, refused: 0, dropped: 0 });
    const taken = batches.filter((batch) => !batch.some(isPoison));
    expect(taken.flat()).toHaveLength(499);
    expect(takenBy(taken, () => true).size).toBe(499);
  });

  test('is tried alone from then on, less and less often, and what comes later is stored at once', async () => {
    const { audit, batches } = setUp({}, (events) =>
      events.some(isPoison) ? { status: 403, body: '<html>' } : stored(events),
    );
    times(20, (n) => audit.log({ ...LOGIN, action: n === 0 ? 'poison' : 'login' }));
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    const before = batches.length;
    times(10, () => audit.log(LOGIN));
    await vi.advanceTimersByTimeAsync(5000);
    expect(audit.counts).toMatchObject({ buffered: 1, stored: 29 });
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    const poisoned = batches.slice(before).filter((batch) => batch.some(isPoison));
    expect(new Set(poisoned.map(({ length }) => length))).toEqual(new Set([1]));
    expect(poisoned.length).toBeLessThan(50);
  });

  test('is stored in the end, under the id that it had, when the failure is mended', async () => {
    let isMended = false;
    const { audit, batches } = setUp({}, (events) =>
      events.some(isPoison) && !isMended ? { status: 500, body: {} } : stored(events),
    );
    times(7, (n) => audit.log({ ...LOGIN, action: n % 3 === 0 ? 'poison' : 'login' }));
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(audit.counts).toMatchObject({ buffered: 3, stored: 4 });
    isMended = true;
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(audit.counts).toEqual({ buffered: 0, stored: 7, refused: 0, dropped: 0 });
    expect(new Set(batches.flat().map(({ id }) => id)).size).toBe(7);
  });

  test.each<[string, Answer]>([
    ['the network is down', new TypeError('fetch failed')],
    ['its key has to wait', { status: 429, body: { code: 'rate_limited' }, headers: { 'Retry-After': '5' } }],
  ])('waits as all do while %s', async (_what, failure) => {
    let isDown = false;
    const { audit, batches } = setUp({}, () => (isDown ? failure : { status: 403, body: '<html>' }));
    audit.log({ ...LOGIN, action: 'poison' });
    await vi.advanceTimersByTimeAsync(MINUTE);
    isDown = true;
    const before = batches.length;
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(batches.length - before).toBeLessThan(40);
  });

  test('is not dropped for another while it is tried, and stored after all', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let tries = 0;
    const { audit } = setUp({
      buffer: { events: 20 },
      fetch: async (_url, init) => {
        const { events } = JSON.parse(String(init?.body)) as { events: Sent[] };
        tries += Number(events.some(isPoison));
        if (!events.some(isPoison) || tries < 2) return new Response('<html>', { status: 403 });
        await promise;
        const { body } = stored(events) as { body: unknown };
        return Response.json(body);
      },
    });
    const request = { waitUntil: () => {} };
    const recorded = audit.during(request).record({ ...LOGIN, action: 'poison' });
    await vi.waitUntil(() => tries === 2);
    audit.during(request).log(LOGIN);
    await vi.advanceTimersByTimeAsync(MINUTE / 6);
    resolve();
    await expect(recorded).resolves.toMatchObject({ result: 'committed' });
    expect(audit.counts).toMatchObject({ stored: 1 });
  });
});

describe('events that a firewall refuses, one each second beside twenty others', () => {
  test.each([
    ['10,000', 10_000],
    ['200', 200],
  ])('take a twentieth of a buffer of %s at most, and keep no others out', async (_what, most) => {
    const { audit, logger } = setUp({ buffer: { events: most } }, (events) =>
      events.some(isPoison) ? { status: 403, body: '<html>' } : stored(events),
    );
    let logged = 0;
    for (let second = 0; second < 15 * 60; second += 1) {
      audit.log({ ...LOGIN, action: 'poison' });
      for (let n = 0; n < 20; n += 1) {
        audit.log(LOGIN);
        await vi.advanceTimersByTimeAsync(50);
      }
      logged += 20;
    }
    await vi.advanceTimersByTimeAsync(1000);
    expect(audit.counts.stored).toBe(logged);
    expect(audit.counts.buffered).toBeLessThanOrEqual(most / 20);
    if (audit.counts.dropped > 0)
      expect(logger.error.mock.calls[0]?.[0]).toContain('dropped (taken by nothing)');
  });
});

describe('where it is not for what an event holds', () => {
  test.each<[string, Answer]>([
    ['nobody can be reached', new TypeError('fetch failed')],
    ['Daybook says that it is unavailable', { status: 503, body: { code: 'unavailable' } }],
    ['the key is not known', { status: 401, body: { code: 'invalid_key' } }],
  ])('(%s) a batch stays whole', async (_what, failure) => {
    const { audit, batches } = setUp({}, () => failure);
    times(100, () => audit.log(LOGIN));
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(batches.length).toBeGreaterThan(10);
    expect(new Set(batches.map(({ length }) => length))).toEqual(new Set([100]));
  });

  test('an hour of pages from a proxy costs few requests; afterwards batches are large again, and no event is doubled', async () => {
    let isDown = true;
    const taken: Sent[] = [];
    const { audit, batches } = setUp({}, (events) => {
      if (isDown) return { status: 502, body: '<html>' };
      taken.push(...events);
      return stored(events);
    });
    times(3000, () => audit.log(LOGIN));
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    expect(batches.length).toBeLessThan(300);
    isDown = false;
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(audit.counts).toEqual({ buffered: 0, stored: 3000, refused: 0, dropped: 0 });
    expect([taken.length, new Set(taken.map(({ id }) => id)).size]).toEqual([3000, 3000]);
    expect(Math.max(...batches.slice(-300).map(({ length }) => length))).toBe(500);
  });
});
