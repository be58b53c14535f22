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

test('what is nested deeper than is read does not count', () => {
  expect(hasTooManyParts(Buffer.alloc(3 * MIB, '['))).toBe(false);
  const deep = '['.repeat(511) + '[{"":{}},'.repeat(200_000) + ']'.repeat(511);
  expect(hasTooManyParts(Buffer.from(deep))).toBe(false);
  expect(hasTooManyParts(Buffer.from(`${'['.repeat(511)}${'{},'.repeat(349_490)}`))).toBe(true);
});

test('1 MiB may hold as many as it can', () => {
  expect(hasTooManyParts(Buffer.alloc(MIB, '{}'))).toBe(false);
  expect(hasTooManyParts(Buffer.alloc(MIB + 1, '{}'))).toBe(true);
});
