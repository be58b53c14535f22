import { Buffer } from 'node:buffer';
import { readJson } from '../events/json.ts';
import type { Reason } from './reason.ts';
import { columnReasons } from './reason.ts';

export type Reading = { ok: true; value: unknown } | { ok: false; reasons: Reason[] };

/** A value of an identifier or text. */
export function readText(column: string, value: unknown): Reading {
  if (typeof value === 'string') return { ok: true, value };
  if (typeof value === 'bigint' || typeof value === 'boolean') return { ok: true, value: String(value) };
  if (typeof value === 'number' && Number.isFinite(value)) return { ok: true, value: String(value) };
  return wrongType(
    column,
    value instanceof Uint8Array ? 'This is binary, and has to be text.' : 'This is no text.',
  );
}

/** JSON, by the column's type or as text; a text that is no JSON is a string. */
export function readFree(column: string, value: unknown): Reading {
  if (typeof value === 'string') {
    const reading = readJson(value);
    if (!reading.ok) return { ok: true, value };
    return reading.flaws.length > 0
      ? { ok: false, reasons: columnReasons(column, reading.flaws) }
      : { ok: true, value: reading.value };
  }
  if (value instanceof Uint8Array) return wrongType(column, 'This is binary, and has to be JSON or text.');
  return readScalar(value);
}

/** A value that is kept as it is, in JSON. */
export function readScalar(value: unknown): Reading {
  if (value instanceof Uint8Array)
    return { ok: true, value: { base64: Buffer.from(value).toString('base64') } };
  if (typeof value !== 'bigint') return { ok: true, value };
  // Past 2^53 a number would be another one.
  return { ok: true, value: Number.isSafeInteger(Number(value)) ? Number(value) : String(value) };
}

export function readInteger(column: string, value: unknown): Reading {
  const number = typeof value === 'string' || typeof value === 'bigint' ? Number(value) : value;
  return Number.isSafeInteger(number)
    ? { ok: true, value: number }
    : wrongType(column, 'This is no integer.');
}

/** What stands where an address was forgotten. */
const ANONYMIZED = '[anonymized]';

/** An address; none where it is forgotten already, or empty. */
export function readAddress(column: string, value: unknown): Reading {
  return value === ANONYMIZED || value === '' ? { ok: true, value: undefined } : readText(column, value);
}

function wrongType(column: string, detail: string): Reading {
  return { ok: false, reasons: [{ column, code: 'wrong_type', detail }] };
}
