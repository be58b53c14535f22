import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTime } from './read-time.ts';

const at = Date.UTC(2025, 0, 31, 9, 30, 5, 123);

test.each([
  ['2025-01-31T09:30:05.123Z', at],
  ['2025-01-31 09:30:05.123456+00', at],
  ['2025-01-31 09:30:05.123', at],
  ['2025-01-31 11:30:05.123+02', at],
  ['2025-01-31 11:30:05,123 +0200', at],
  ['2025-01-31T15:00:05.123+05:30', at],
  ['2025-01-31 09:30:05.123 UTC', at],
  ['2025-01-31 09:30:05', at - 123],
  ['2025-01-31 09:30', at - 5123],
  ['2025-01-31', Date.UTC(2025, 0, 31)],
  [at, at],
  [BigInt(at), at],
  [String(at), at],
  [1738315805, at - 123],
  ['1738315805.123', at],
])('%s is a time', (value, ms) => {
  expect(readTime(value)).toEqual({ ok: true, ms });
});

test.each([
  '',
  'yesterday',
  '31.01.2025',
  '2025-02-30',
  '2025-01-31 25:00:00',
  'infinity',
  '0044-03-15 00:00:00+00 BC',
  '12025-01-31 00:00:00+00',
  '2025-01-31T23:59:60Z',
  0,
  -1,
  2_460_000.5,
  Number.NaN,
  1e300,
  true,
  {},
  null,
])('%j is none', (value) => {
  expect(readTime(value)).toMatchObject({ ok: false });
});

test('every time that Postgres or SQLite writes is read as it is', () => {
  const time = fc.date({ min: new Date('1973-03-04'), max: new Date('9998-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(time, (date) => {
      const iso = date.toISOString();
      expect(readTime(iso.replace('T', ' ').replace('Z', '+00'))).toEqual({ ok: true, ms: date.getTime() });
      expect(readTime(iso.slice(0, 23).replace('T', ' '))).toEqual({ ok: true, ms: date.getTime() });
      expect(readTime(date.getTime())).toEqual({ ok: true, ms: date.getTime() });
    }),
  );
});
