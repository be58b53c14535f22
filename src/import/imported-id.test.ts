import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isId, timeOf } from '../events/id.ts';
import { importedId } from './imported-id.ts';

const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const identity = fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 });

test('an id is a UUIDv7 of its time', () => {
  fc.assert(
    fc.property(time, identity, (ms, parts) => {
      const id = importedId(ms, parts);
      expect(isId(id)).toBe(true);
      expect(timeOf(id)).toBe(ms);
    }),
  );
});

test('the same row has the same id, and another row another', () => {
  fc.assert(
    fc.property(time, identity, identity, (ms, one, other) => {
      const same = JSON.stringify(one) === JSON.stringify(other);
      expect(importedId(ms, one) === importedId(ms, other)).toBe(same);
    }),
  );
});

test('parts are not run together', () => {
  expect(importedId(0, ['a', 'bc'])).not.toBe(importedId(0, ['ab', 'c']));
});

test('every bit that is free is used', () => {
  const seen = new Set<string>();
  for (let row = 0; row < 2000; row += 1) {
    const bits = BigInt(`0x${importedId(0, [String(row)]).replaceAll('-', '')}`);
    for (let bit = 0n; bit < 76n; bit += 1n) seen.add(`${bit}:${(bits >> bit) & 1n}`);
  }
  const varying = Array.from({ length: 76 }, (_, bit) => seen.has(`${bit}:0`) && seen.has(`${bit}:1`));
  // The variant takes two bits above the last 62.
  expect(varying.map((varies, bit) => (varies ? undefined : bit)).filter((bit) => bit !== undefined)).toEqual(
    [62, 63],
  );
});
