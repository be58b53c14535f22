import { expect, test } from 'vitest';
import { compare, type Sample } from './latency.ts';
import { randomOf } from './random.ts';

/** A hundred requests a second, each 1 to 100 ms times `factor`, but for seconds that stall. */
function samples(seconds: number, factor = 1, stalled: readonly number[] = []): Sample[] {
  return Array.from({ length: seconds * 100 }, (_, index) => {
    const second = Math.floor(index / 100);
    return { at: index * 10, ms: stalled.includes(second) ? 1000 : ((index % 100) + 1) * factor };
  });
}

test('what is ten times as slow is found to be', () => {
  const { ratio, p50, p99, samples: counts } = compare(samples(20), samples(60, 10), randomOf(1));
  expect(ratio).toEqual({ value: 10, low: 10, high: 10 });
  expect([p50, p99.calm.value, p99.outage.value]).toEqual([{ calm: 50, outage: 500 }, 99, 990]);
  expect(counts).toEqual({ calm: 2000, outage: 6000 });
});

test('one stall of a whole second proves nothing', () => {
  const { ratio } = compare(samples(20), samples(20, 1, [7]), randomOf(1));
  expect(ratio.value).toBeGreaterThan(10);
  expect(ratio.low).toBeCloseTo(1, 5);
  expect(ratio.high).toBeGreaterThan(5);
});

test('stalls in every third second do', () => {
  const stalled = Array.from({ length: 20 }, (_, index) => index * 3);
  const { ratio } = compare(samples(20), samples(60, 1, stalled), randomOf(1));
  expect(ratio.low).toBeGreaterThan(3);
});

test('without samples there is no ratio', () => {
  expect(compare([], samples(1), randomOf(1)).ratio).toEqual({ value: NaN, low: NaN, high: NaN });
});
