import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Sql } from '../db/client.ts';
import { RevocationList } from './revocation.ts';

const SECOND = 1000;
const [KEY, REVOKED] = ['01a1fde2-e7c0-789f-9e35-bd1e3e0b69bd', '01a1fde2-e7c0-789f-9e35-bd1e3e0b69be'];

/** The driver, as far as the list needs it: each call is answered by `answer`. */
function listWith(answer: () => Promise<{ id: string }[]>) {
  const query = vi.fn<() => Promise<{ id: string }[]>>(answer);
  // The list calls nothing else of the driver.
  return { query, list: new RevocationList({ query } as unknown as Sql) };
}

const kept: Promise<unknown>[] = [];
const waitUntil = (promise: Promise<unknown>) => void kept.push(promise);
const down = () => Promise.reject(new TypeError('fetch failed'));
const hangs = () => new Promise<never>(() => {});

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('the list of revoked keys', () => {
  test('is read before the first key is judged', async () => {
    const { list } = listWith(async () => [{ id: REVOKED }]);
    expect(await list.check(REVOKED, waitUntil)).toBe('revoked');
    expect(await list.check(KEY, waitUntil)).toBe('valid');
  });

  test('is read once for requests that come together, and not again while it is fresh', async () => {
    const { list, query } = listWith(async () => []);
    await Promise.all(Array.from({ length: 50 }, () => list.check(KEY, waitUntil)));
    vi.advanceTimersByTime(29 * SECOND);
    await list.check(KEY, waitUntil);
    expect(query).toHaveBeenCalledTimes(1);
  });

  test('knows of a revocation within a minute, and is renewed meanwhile without holding a request up', async () => {
    let revoked: string[] = [];
    const { list, query } = listWith(async () => revoked.map((id) => ({ id })));
    expect(await list.check(KEY, waitUntil)).toBe('valid');
    revoked = [KEY];
    vi.advanceTimersByTime(31 * SECOND);
    expect(await list.check(KEY, waitUntil)).toBe('valid');
    await Promise.all(kept);
    expect(await list.check(KEY, waitUntil)).toBe('revoked');
    expect(query).toHaveBeenCalledTimes(2);
  });

  test('is waited for when it is older than a minute', async () => {
    let revoked: string[] = [];
    const { list } = listWith(async () => revoked.map((id) => ({ id })));
    await list.check(KEY, waitUntil);
    revoked = [KEY];
    vi.advanceTimersByTime(61 * SECOND);
    expect(await list.check(KEY, waitUntil)).toBe('revoked');
  });
});

describe('while the database fails', () => {
  test('a key cannot be called valid, and the database is left alone for five seconds', async () => {
    const { list, query } = listWith(down);
    expect(await list.check(KEY, waitUntil)).toBe('unknown');
    vi.advanceTimersByTime(4 * SECOND);
    expect(await list.check(KEY, waitUntil)).toBe('unknown');
    expect(query).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(2 * SECOND);
    await list.check(KEY, waitUntil);
    expect(query).toHaveBeenCalledTimes(2);
  });

  test('the last known list serves for five minutes; what is on it stays revoked for ever', async () => {
    const answers = vi.fn<() => Promise<{ id: string }[]>>(down).mockResolvedValueOnce([{ id: REVOKED }]);
    const { list } = listWith(answers);
    await list.check(KEY, waitUntil);
    vi.advanceTimersByTime(299 * SECOND);
    expect(await list.check(KEY, waitUntil)).toBe('valid');
    vi.advanceTimersByTime(2 * SECOND);
    expect(await list.check(KEY, waitUntil)).toBe('unknown');
    expect(await list.check(REVOKED, waitUntil)).toBe('revoked');
  });

  test('a database that hangs holds up only the requests of the first half second', async () => {
    const { list } = listWith(hangs);
    const first = list.check(KEY, waitUntil);
    await vi.advanceTimersByTimeAsync(500);
    expect(await first).toBe('unknown');
    expect(vi.getTimerCount()).toBe(0);
    expect(await list.check(KEY, waitUntil)).toBe('unknown');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('nobody waits for the later attempts: a database that hangs for an hour slows nothing down', async () => {
    const { list, query } = listWith(hangs);
    query.mockResolvedValueOnce([]).mockImplementation(async () => {
      await new Promise((_, reject) => setTimeout(reject, 5 * SECOND, new TypeError('timed out')));
      return [];
    });
    await list.check(KEY, waitUntil);
    let waited = 0;
    for (let second = 1; second <= 3600; second += 1) {
      await vi.advanceTimersByTimeAsync(SECOND);
      const before = Date.now();
      const checked = list.check(KEY, waitUntil).then(() => Date.now());
      await vi.advanceTimersByTimeAsync(SECOND);
      waited += (await checked) - before;
    }
    expect(waited).toBe(0);
    expect(query.mock.calls.length).toBeGreaterThan(300);
  });

  test('a call that fails at once costs a revoked key no more time: the next list is waited for', async () => {
    const answers = vi
      .fn<() => Promise<{ id: string }[]>>(async () => [{ id: KEY }])
      .mockResolvedValueOnce([])
      .mockImplementationOnce(down);
    const { list } = listWith(answers);
    await list.check(KEY, waitUntil);
    vi.advanceTimersByTime(59 * SECOND);
    expect(await list.check(KEY, waitUntil)).toBe('valid');
    await vi.advanceTimersByTimeAsync(6 * SECOND);
    expect(await list.check(KEY, waitUntil)).toBe('revoked');
  });

  test('after a call that hung the list is waited for again within a quarter of a minute', async () => {
    const { list, query } = listWith(hangs);
    query.mockImplementationOnce(
      () => new Promise((_, reject) => setTimeout(reject, 5 * SECOND, new TypeError('timed out'))),
    );
    const first = list.check(KEY, waitUntil);
    await vi.advanceTimersByTimeAsync(5 * SECOND);
    expect(await first).toBe('unknown');
    query.mockImplementation(async () => [{ id: KEY }]);
    await vi.advanceTimersByTimeAsync(15 * SECOND + 1);
    expect(await list.check(KEY, waitUntil)).toBe('revoked');
  });

  test('a refresh that never settles, its request being cancelled, is replaced by another', async () => {
    const answers = vi
      .fn<() => Promise<{ id: string }[]>>(async () => [{ id: REVOKED }])
      .mockImplementationOnce(hangs);
    const { list } = listWith(answers);
    const first = list.check(REVOKED, waitUntil);
    await vi.advanceTimersByTimeAsync(6 * SECOND);
    expect(await first).toBe('unknown');
    expect(await list.check(REVOKED, waitUntil)).toBe('revoked');
  });
});
