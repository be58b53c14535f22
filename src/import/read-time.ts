import { parseTime, type TimeReading } from '../events/time.ts';

const FORM =
  /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)? ?(?:([Zz]|UTC)|([+-]\d\d)(?::?(\d\d))?)?)?$/;
const COUNT = /^\d{9,14}(?:\.\d+)?$/;

/** 1973 and 5138 in seconds, 1973 and 33658 in milliseconds: what lies below is no time of an audit log. */
const LEAST_SECONDS = 1e8;
const LEAST_MILLISECONDS = 1e11;
const MOST_MILLISECONDS = 1e15;

/**
 * Reads the ways in which databases and files write times: ISO 8601 with `T` or a space, with or without an offset (UTC
 * then), a date alone (its first moment), seconds or milliseconds since 1970, which differ by size.
 * What is finer than a millisecond is cut.
 */
export function readTime(value: unknown): TimeReading {
  if (typeof value === 'number' || typeof value === 'bigint') return fromCount(Number(value));
  if (typeof value !== 'string') return unreadable;
  if (COUNT.test(value)) return fromCount(Number(value));
  const match = FORM.exec(value);
  if (match === null) return unreadable;
  const [, date, minutes = '00:00', seconds = '00', fraction = '0', , hour, minute = '00'] = match;
  const offset = hour === undefined ? 'Z' : `${hour}:${minute}`;
  return parseTime(`${date}T${minutes}:${seconds}.${fraction}${offset}`);
}

function fromCount(count: number): TimeReading {
  if (!(count >= LEAST_SECONDS && count < MOST_MILLISECONDS)) return unreadable;
  const ms = Math.trunc(count < LEAST_MILLISECONDS ? count * 1000 : count);
  return parseTime(new Date(ms).toISOString());
}

const unreadable: TimeReading = {
  ok: false,
  code: 'invalid_time',
  detail: 'This is no time: ISO 8601 is read, and seconds or milliseconds since 1970.',
};
