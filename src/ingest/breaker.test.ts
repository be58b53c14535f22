import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Breaker } from './breaker.ts';

beforeEach(() => {
  vi.useFakeTimers();
  // Without jitter.
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A call that ends after so many ms. */
async function call(breaker: Breaker, outcome: 'succeeds' | 'fails', ms = 0): Promise<void> {
  const calling = new Promise<boolean>((resolve) => setTimeout(resolve, ms, outcome === 'fails'));
  const watched = breaker.watch(calling, (hasFailed) => hasFailed);
  await vi.advanceTimersByTimeAsync(ms);
  await watched;
}

async function fail(breaker: Breaker, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await call(breaker, 'fails');
}

test('a breaker opens after failures in a row, and not before', async () => {
  const breaker = new Breaker({ threshold: 3 });
  await fail(breaker, 2);
  await call(breaker, 'succeeds');
  await fail(breaker, 2);
  expect([breaker.isClosed, breaker.wait, breaker.admits()]).toEqual([true, 0, true]);
  await call(breaker, 'fails');
  expect([breaker.isClosed, breaker.wait, breaker.admits()]).toEqual([false, 200, false]);
});

test('a call that hung opens it at once, for it says as much as several', async () => {
  const breaker = new Breaker({ threshold: 3, hung: 4000 });
  await call(breaker, 'fails', 3999);
  expect(breaker.isClosed).toBe(true);
  await call(breaker, 'fails', 4000);
  expect([breaker.isClosed, breaker.wait]).toEqual([false, 200]);
});

test('a call that fails or hangs says nothing once a later one has succeeded', async () => {
  const breaker = new Breaker({ threshold: 1, hung: 4000 });
  const hanging = breaker.watch(new Promise<boolean>((resolve) => setTimeout(resolve, 7000, true)), Boolean);
  await call(breaker, 'succeeds', 20);
  await vi.advanceTimersByTimeAsync(7000);
  await hanging;
  expect([breaker.isClosed, breaker.admits()]).toEqual([true, true]);
});

test('a call that rejects has failed, and ends a probe', async () => {
  const breaker = new Breaker({ threshold: 1, first: 200, longest: 200 });
  await call(breaker, 'fails');
  vi.advanceTimersByTime(200);
  expect(breaker.admits()).toBe(true);
  const rejected = breaker.watch(Promise.reject(new Error('a fault of ours')), () => false);
  await expect(rejected).rejects.toThrow('a fault of ours');
  vi.advanceTimersByTime(200);
  expect(breaker.admits()).toBe(true);
});

test('when its time is over one call is let through, and only one, until it has reported', async () => {
  const breaker = new Breaker({ threshold: 1, first: 200, probeLimit: 10_000 });
  await call(breaker, 'fails');
  vi.advanceTimersByTime(199);
  expect(breaker.admits()).toBe(false);
  vi.advanceTimersByTime(1);
  expect([breaker.wait, breaker.admits()]).toEqual([0, true]);
  expect([breaker.admits(), breaker.wait]).toEqual([false, 1000]);
  await call(breaker, 'succeeds');
  expect([breaker.isClosed, breaker.admits(), breaker.admits()]).toEqual([true, true, true]);
});

test('with each probe that fails it stays open for twice as long, to a limit', async () => {
  const breaker = new Breaker({ threshold: 1, first: 200, longest: 1000 });
  await call(breaker, 'fails');
  const waits: number[] = [];
  for (let probe = 0; probe < 4; probe += 1) {
    waits.push(breaker.wait);
    vi.advanceTimersByTime(breaker.wait);
    expect(breaker.admits()).toBe(true);
    await call(breaker, 'fails');
  }
  expect(waits).toEqual([200, 400, 800, 1000]);
});

test('it tells for how long calls were seen to fail: not before the first, nor where nobody looked, nor once one succeeded', async () => {
  const breaker = new Breaker({ threshold: 2 });
  const seen = [breaker.failingFor];
  for (const ms of [0, 5000, 119_000, 120_001, 60_000]) {
    vi.advanceTimersByTime(ms);
    await call(breaker, 'fails');
    seen.push(breaker.failingFor);
  }
  vi.advanceTimersByTime(1000);
  seen.push(breaker.failingFor);
  await call(breaker, 'succeeds');
  seen.push(breaker.failingFor);
  await call(breaker, 'fails');
  seen.push(breaker.failingFor);
  expect(seen).toEqual([0, 0, 5000, 124_000, 0, 60_000, 60_000, 0, 0]);
});

test('a probe that never reports is followed by another', async () => {
  const breaker = new Breaker({ threshold: 1, probeLimit: 10_000 });
  await call(breaker, 'fails');
  vi.advanceTimersByTime(200);
  expect(breaker.admits()).toBe(true);
  vi.advanceTimersByTime(9999);
  expect(breaker.admits()).toBe(false);
  vi.advanceTimersByTime(1);
  expect(breaker.admits()).toBe(true);
});

test('calls that were under way when it opened do not keep it open for longer', async () => {
  const breaker = new Breaker({ threshold: 1, first: 200 });
  await fail(breaker, 5);
  expect(breaker.wait).toBe(200);
});

test('nor does a call that ends after them cut a probe short', async () => {
  const breaker = new Breaker({ threshold: 1, first: 200 });
  const slow = breaker.watch(new Promise<boolean>((resolve) => setTimeout(resolve, 500, true)), Boolean);
  await call(breaker, 'fails');
  vi.advanceTimersByTime(200);
  expect(breaker.admits()).toBe(true);
  await vi.advanceTimersByTimeAsync(300);
  await slow;
  expect(breaker.admits()).toBe(false);
});

test('a call that is held up shows, until another succeeds or it ends', async () => {
  const breaker = new Breaker({ slow: 1000 });
  void breaker.watch(new Promise<boolean>((resolve) => setTimeout(resolve, 5000, false)), Boolean);
  await vi.advanceTimersByTimeAsync(999);
  expect(breaker.isSlow).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(breaker.isSlow).toBe(true);
  await call(breaker, 'succeeds');
  expect(breaker.isSlow).toBe(false);
  void breaker.watch(new Promise<boolean>((resolve) => setTimeout(resolve, 2000, true)), Boolean);
  await vi.advanceTimersByTimeAsync(1000);
  expect(breaker.isSlow).toBe(true);
  await vi.advanceTimersByTimeAsync(1000);
  expect(breaker.isSlow).toBe(false);
});

test('what a cancelled request left under way counts for nothing in the end', () => {
  const breaker = new Breaker({ slow: 1000, probeLimit: 10_000 });
  void breaker.watch(new Promise<boolean>(() => {}), Boolean);
  const seen = [999, 1, 8999, 1].map((ms) => {
    vi.advanceTimersByTime(ms);
    return breaker.isSlow;
  });
  expect(seen).toEqual([false, true, true, false]);
});
