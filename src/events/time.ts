import type { FlawCode } from './flaw.ts';

/** How far ahead of our clock a sender's clock may be. */
export const MAX_AHEAD_MS = 5 * 60_000;

/** The years that Postgres and JavaScript both print with four digits, with room on either side. */
export const MIN_TIME_MS = Date.UTC(1900, 0, 1);
export const MAX_TIME_MS = Date.UTC(9999, 0, 1) - 1;

export type TimeReading = { ok: true; ms: number } | { ok: false; code: FlawCode; detail: string };

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/**
 * Reads an RFC 3339 date-time (section 5.6), which has an offset, to milliseconds since 1970.
 * What is finer than a millisecond is cut, as `Date` does. The years are 1900 to 9998, in UTC.
 */
export function parseTime(text: string): TimeReading {
  const match = DATE_TIME.exec(text);
  if (match === null) {
    return invalid('Send an RFC 3339 time with its offset, such as 2026-01-31T09:30:00Z.');
  }
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as SixNumbers;
  if (second === 60) return invalid('Leap seconds cannot be stored; send second 59 or the next minute.');
  if (hour > 23 || minute > 59 || second > 59) return invalid('This time of day does not exist.');
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month))
    return invalid('This date does not exist.');
  const offsetHour = Number(match[9] ?? 0);
  const offsetMinute = Number(match[10] ?? 0);
  if (offsetHour > 23 || offsetMinute > 59) return invalid('This offset from UTC does not exist.');
  const offset = (match[8] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  const fraction = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  // Date.UTC takes the years 0 to 99 for 1900 to 1999.
  if (year < 100) return outOfRange();
  const ms = Date.UTC(year, month - 1, day, hour, minute - offset, second, fraction);
  return ms < MIN_TIME_MS || ms > MAX_TIME_MS ? outOfRange() : { ok: true, ms };
}

/** Writes milliseconds since 1970 as UTC with milliseconds and `Z`. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** The pattern has exactly these six groups of digits. */
type SixNumbers = [number, number, number, number, number, number];

function daysIn(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (DAYS[month - 1] ?? 0);
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function invalid(detail: string): TimeReading {
  return { ok: false, code: 'invalid_time', detail };
}

function outOfRange(): TimeReading {
  return { ok: false, code: 'time_out_of_range', detail: 'Send a time between the years 1900 and 9998.' };
}
