import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDatabase, type TestDatabase } from '../../test/support/database.ts';
import { canonical } from './canonical.ts';
import { measure, storedSize, utf8Length } from './measure.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text).length;
const nested = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown;

describe('measure', () => {
  it('counts the bytes of the canonical form', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary', maxDepth: 6 }), (value) => {
        fc.pre(!JSON.stringify(value).includes('\\u0000'));
        expect(measure(value)).toMatchObject({ ok: true, canonical: bytesOf(canonical(value)) });
      }),
    );
  });

  it('accepts 32 levels and names the place of the 33rd', () => {
    expect(measure(nested(32)).ok).toBe(true);
    expect(measure(nested(33))).toMatchObject({ flaws: [{ pointer: '/0'.repeat(32), code: 'too_deep' }] });
    expect(measure({ a: nested(500) })).toMatchObject({ flaws: [{ code: 'too_deep' }] });
  });

  it('names every place that Postgres or JSON would refuse', () => {
    const value = { a: ['x\0', '\ud800', Number.NaN, undefined, 1n], 'b\0': { c: Infinity }, d: undefined };
    const result = measure(value);
    expect(result.ok ? [] : result.flaws.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([
      '/a/0 nul_character',
      '/a/1 lone_surrogate',
      '/a/2 number_out_of_range',
      '/a/3 wrong_type',
      '/a/4 wrong_type',
      '/b\0 nul_character',
      '/b\0/c number_out_of_range',
    ]);
  });

  it('stops listing after twenty places', () => {
    const result = measure(Array.from({ length: 1000 }, () => '\0'));
    expect(result.ok ? 0 : result.flaws.length).toBe(20);
  });
});

describe('storedSize', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await startDatabase('postgres');
  });
  afterAll(() => database.close());

  it('counts numbers as jsonb prints them', async () => {
    const numbers = [
      0, -0, 1, -1.5, 1e20, 1e21, -1e21, 1.5e21, 1e308, -1.7976931348623157e308, 1e-6, 1e-7, -1.5e-7, 1e-300,
      5e-324,
    ];
    numbers.push(...fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 500));
    const rows = await database.owner.query(
      'select value::text as text from jsonb_array_elements($1::jsonb) with ordinality order by ordinality',
      [JSON.stringify(numbers)],
    );
    expect(numbers.map(storedSize)).toEqual(rows.map(({ text }) => String(text).length));
  });

  it('counts strings as jsonb prints them', async () => {
    const texts = fc
      .sample(fc.string({ unit: 'binary' }), 500)
      .filter((text) => !text.includes('\0') && text.isWellFormed());
    texts.push('\u0001\b\t\n\u000b\f\r"\\/\u007f\u0080\u2028\ud83d\ude00');
    const rows = await database.owner.query(
      'select octet_length(value::text) as bytes from jsonb_array_elements($1::jsonb) with ordinality order by ordinality',
      [JSON.stringify(texts)],
    );
    expect(texts.map(storedSize)).toEqual(rows.map(({ bytes }) => bytes));
  });
});

describe('utf8Length', () => {
  it('is the length of the encoded text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8Length(text)).toBe(bytesOf(text));
      }),
    );
  });
});
