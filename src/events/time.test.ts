import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTime, MAX_TIME_MS, MIN_TIME_MS, parseTime } from './time.ts';

const read = (text: string) => {
  const reading = parseTime(text);
  return reading.ok ? formatTime(reading.ms) : reading.code;
};

describe('parseTime', () => {
  it.each([
    ['2026-01-31T09:30:00Z', '2026-01-31T09:30:00.000Z'],
    ['2026-01-31t09:30:00.5z', '2026-01-31T09:30:00.500Z'],
    ['2026-01-31T09:30:00.123999999999Z', '2026-01-31T09:30:00.123Z'],
    ['2026-01-31T23:30:00-05:30', '2026-02-01T05:00:00.000Z'],
    ['2026-01-01T00:30:00+01:00', '2025-12-31T23:30:00.000Z'],
    ['2024-02-29T00:00:00-00:00', '2024-02-29T00:00:00.000Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
    ['1900-01-01T00:00:00Z', '1900-01-01T00:00:00.000Z'],
    ['9998-12-31T23:59:59.999Z', '9998-12-31T23:59:59.999Z'],
  ])('reads %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each([
    '2026-01-31T09:30:00',
    '2026-01-31 09:30:00Z',
    '2026-01-31',
    '2026-1-31T09:30:00Z',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2016-12-31T23:59:60Z',
    '2016-12-31T23:59:61Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+01:60',
    '2026-01-01T00:00:00+0100',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00Z',
    '+002026-01-01T00:00:00Z',
    ' 2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
    '２026-01-01T00:00:00Z',
    '',
  ])('refuses %j', (text) => {
    expect(read(text)).toBe('invalid_time');
  });

  it.each([
    '1899-12-31T23:59:59Z',
    '0099-01-01T00:00:00Z',
    '9999-01-01T00:00:00Z',
    '1900-01-01T00:30:00+01:00',
    '9998-12-31T23:59:59-00:01',
  ])('refuses %s as out of range', (text) => {
    expect(read(text)).toBe('time_out_of_range');
  });

  it('says why a leap second is refused', () => {
    expect(parseTime('2016-12-31T23:59:60Z')).toMatchObject({
      detail: expect.stringContaining('Leap seconds'),
    });
  });

  it('reads what it formats, and agrees with Date on every offset', () => {
    const instant = fc.integer({ min: MIN_TIME_MS + 86_400_000, max: MAX_TIME_MS - 86_400_000 });
    fc.assert(
      fc.property(instant, fc.integer({ min: -1439, max: 1439 }), (ms, minutes) => {
        expect(parseTime(formatTime(ms))).toEqual({ ok: true, ms });
        const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
        const pad = (value: number) => String(value).padStart(2, '0');
        const text = `${formatTime(ms).slice(0, -1)}${minutes < 0 ? '-' : '+'}${pad(hours)}:${pad(rest)}`;
        expect(parseTime(text)).toEqual({ ok: true, ms: Date.parse(text) });
      }),
    );
  });
});
