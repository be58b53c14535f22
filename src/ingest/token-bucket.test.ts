import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

test('lets a burst through at once, and the next one only after its share of a second', () => {
  const bucket = new TokenBucket(100, 3, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([
    0, 0, 0, 10, 20,
  ]);
});

test('never lets more than burst and rate through in any second, whatever the arrivals', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 400 }), (gaps) => {
      const bucket = new TokenBucket(90, 10, 0);
      let now = 0;
      const leaves = gaps.map((gap) => {
        now += gap;
        return now + bucket.take(now);
      });
      for (const from of leaves) {
        expect(leaves.filter((time) => time >= from && time < from + 1000).length).toBeLessThanOrEqual(101);
      }
    }),
  );
});
