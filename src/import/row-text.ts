import { Buffer } from 'node:buffer';
import type { Row } from './source.ts';

/** A row as JSON: what JSON has no form for, as text. */
export function rowText(values: Row): string {
  return JSON.stringify(values, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  });
}
