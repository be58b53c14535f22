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

function fail(breaker: Breaker, times: number): void {
  for (let time = 0; time < times; time += 1) breaker.failed();
}

test('a breaker opens after failures in a row, and not before', () => {
  const breaker = new Breaker({ threshold: 3 });
  fail(breaker, 2);
  breaker.succeeded();
  fail(breaker, 2);
  expect([breaker.isClosed, breaker.wait, breaker.admits()]).toEqual([true, 0, true]);
  breaker.failed();
  expect([breaker.isClosed, breaker.wait, breaker.admits()]).toEqual([false, 200, false]);
});

test('a call that hung opens it at once, for it says as much as several', () => {
  const breaker = new Breaker({ threshold: 3, hung: 4000 });
  breaker.failed(3999);
  expect(breaker.isClosed).toBe(true);
  breaker.failed(4000);
  expect([breaker.isClosed, breaker.wait]).toEqual([false, 200]);
});

test('when its time is over one call is let through, and only one, until it has reported', () => {
  const breaker = new Breaker({ threshold: 1, first: 200, probeLimit: 10_000 });
  breaker.failed();
  vi.advanceTimersByTime(199);
  expect(breaker.admits()).toBe(false);
  vi.advanceTimersByTime(1);
  expect([breaker.wait, breaker.admits()]).toEqual([0, true]);
  expect([breaker.admits(), breaker.wait]).toEqual([false, 1000]);
  breaker.succeeded();
  expect([breaker.isClosed, breaker.admits(), breaker.admits()]).toEqual([true, true, true]);
});

test('with each probe that fails it stays open for twice as long, to a limit', () => {
  const breaker = new Breaker({ threshold: 1, first: 200, longest: 1000 });
  breaker.failed();
  const waits: number[] = [];
  for (let probe = 0; probe < 4; probe += 1) {
    waits.push(breaker.wait);
    vi.advanceTimersByTime(breaker.wait);
    expect(breaker.admits()).toBe(true);
    breaker.failed();
  }
  expect(waits).toEqual([200, 400, 800, 1000]);
});

test('a probe that never reports is followed by another', () => {
  const breaker = new Breaker({ threshold: 1, probeLimit: 10_000 });
  breaker.failed();
  vi.advanceTimersByTime(200);
  expect(breaker.admits()).toBe(true);
  vi.advanceTimersByTime(9999);
  expect(breaker.admits()).toBe(false);
  vi.advanceTimersByTime(1);
  expect(breaker.admits()).toBe(true);
});

test('calls that were under way when it opened do not keep it open for longer', () => {
  const breaker = new Breaker({ threshold: 1, first: 200 });
  fail(breaker, 5);
  expect(breaker.wait).toBe(200);
});
