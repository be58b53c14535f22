import { V7Generator } from 'uuidv7';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

// Left out of a bundle that makes no ids so.
const generator = /* @__PURE__ */ strictGenerator();

/** An id carries the time it was made for; a clock set back must not be papered over. */
function strictGenerator(): V7Generator {
  const strict = new V7Generator();
  strict.setRollbackAllowance(0);
  return strict;
}

/** Makes a UUIDv7 (RFC 9562, section 5.7) for a time in milliseconds. */
export function makeId(ms: number): string {
  return generator.generateOrResetWithTs(ms).toString();
}

/** True for a UUID of version 7 and the RFC's variant, in upper or lower case. */
export function isId(text: string): boolean {
  return UUID_V7.test(text);
}

/** The milliseconds since 1970 that a UUIDv7 carries in its first 48 bits. */
export function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The smallest UUIDv7 of a millisecond: where a range scan from that time begins. */
export function lowestId(ms: number): string {
  return `${timePart(ms)}-7000-8000-000000000000`;
}

/** The greatest UUIDv7 of a millisecond: where a range scan to that time ends. */
export function highestId(ms: number): string {
  return `${timePart(ms)}-7fff-bfff-ffffffffffff`;
}

const MAX_ID_TIME_MS = 2 ** 48 - 1;

/** The first two groups of the ids of a millisecond. */
export function timePart(ms: number): string {
  // A range may reach beyond what ids can hold; its bounds then are the first and the last id.
  const hex = Math.min(Math.max(ms, 0), MAX_ID_TIME_MS).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
