import { expect, test } from 'vitest';
import { hasTooManyParts } from './json-parts.ts';

const MIB = 1024 * 1024;

/** So many parts in a text of 3 MiB. */
function withParts(part: string, count: number): Uint8Array {
  return Buffer.from(`[${`${part},`.repeat(count - 1)}0]`.padEnd(3 * MIB));
}

test.each(['{}', '[]', '"":0'])('350,000 parts such as %s are enough', (part) => {
  expect(hasTooManyParts(withParts(part, 350_000))).toBe(false);
  expect(hasTooManyParts(withParts(part, 350_001))).toBe(true);
});

test.each(['"{[:"', String.raw`"\"{{{"`, String.raw`"\\\"["`, '0', 'true', '"}]"'])('%s is none', (text) => {
  expect(hasTooManyParts(withParts(text, 350_001))).toBe(false);
});

test('a string that ends with a backslash ends', () => {
  expect(hasTooManyParts(withParts(String.raw`"\\",{}`, 350_001))).toBe(true);
});

test.each(['"', String.raw`"\u`, '"\\'])(
  'a line that is broken by %s hides nothing in the next',
  (broken) => {
    const lines = [Buffer.from(`${broken}\n`), withParts('{}', 350_001)];
    expect(hasTooManyParts(Buffer.concat(lines))).toBe(true);
  },
);

test('1 MiB may hold as many as it can', () => {
  expect(hasTooManyParts(new Uint8Array(MIB).fill(0x5b))).toBe(false);
  expect(hasTooManyParts(new Uint8Array(MIB + 1).fill(0x5b))).toBe(true);
});
