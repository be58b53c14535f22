import { pointerTo, type Flaw, type FlawCode } from './flaw.ts';
import { MAX_DEPTH } from './limits.ts';

/** A few places show what to mend; the rest of a hopeless value is not worth the answer. */
const MAX_FLAWS = 20;

export interface Measure {
  /** UTF-8 bytes of the RFC 8785 canonical form. */
  canonical: number;
  /** The same with every number at the length at which Postgres prints it from jsonb. */
  stored: number;
}

/**
 * Measures a JSON value in one walk, without writing it.
 *
 * @returns The sizes, or what JSON, Postgres or the depth limit would not let through: NUL,
 *   lone surrogates, NaN and infinities, values that are no JSON, more than 32 levels.
 */
export function measure(value: unknown): ({ ok: true } & Measure) | { ok: false; flaws: Flaw[] } {
  const size: Measure = { canonical: 0, stored: 0 };
  if (add(size, value, 1)) return { ok: true, ...size };
  const flaws: Flaw[] = [];
  locate(flaws, value, '', 1);
  return { ok: false, flaws };
}

/**
 * UTF-8 bytes that the value's canonical form takes once Postgres has expanded its numbers:
 * jsonb keeps 1e308 as 309 digits. Spaces, which jsonb prints after `:` and `,`, are not counted.
 *
 * @throws RangeError for a value that `measure` refuses.
 */
export function storedSize(value: unknown): number {
  const size: Measure = { canonical: 0, stored: 0 };
  if (!add(size, value, 1)) throw new RangeError('not a JSON value of bounded depth');
  return size.stored;
}

/** The length of a text in UTF-8 bytes. */
export function utf8Length(text: string): number {
  if (isPrintableAscii(text)) return text.length;
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) bytes += extraBytes(text.charCodeAt(at));
  return bytes;
}

/** Whether each character is one byte in UTF-8, and none a control character. */
export function isPrintableAscii(text: string): boolean {
  return !NOT_ASCII.test(text);
}

const NOT_ASCII = /[^\x20-\x7e]/;
const NOT_PLAIN = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

function add(size: Measure, value: unknown, level: number): boolean {
  switch (typeof value) {
    case 'string':
      return addText(size, value);
    case 'number':
      if (!Number.isFinite(value)) return false;
      size.canonical += String(value).length;
      size.stored += storedNumberLength(value);
      return true;
    case 'boolean':
      return grow(size, value ? 4 : 5);
    case 'object':
      if (value === null) return grow(size, 4);
      if (level > MAX_DEPTH) return false;
      return Array.isArray(value) ? addArray(size, value, level) : addObject(size, value, level);
    default:
      return false;
  }
}

function addArray(size: Measure, array: unknown[], level: number): boolean {
  grow(size, array.length === 0 ? 2 : array.length + 1);
  for (const element of array) {
    if (!add(size, element, level + 1)) return false;
  }
  return true;
}

function addObject(size: Measure, object: object, level: number): boolean {
  let members = 0;
  for (const [name, member] of Object.entries(object)) {
    if (member === undefined) continue;
    members += 1;
    if (!addText(size, name) || !add(size, member, level + 1)) return false;
  }
  // Two braces, a colon for each member, commas between them.
  return grow(size, members === 0 ? 2 : 2 * members + 1);
}

function addText(size: Measure, text: string): boolean {
  if (!NOT_PLAIN.test(text)) return grow(size, text.length + 2);
  if (flawOf(text) !== undefined) return false;
  let bytes = text.length + 2;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    bytes += code < 0x80 ? extraForEscape(code) : extraBytes(code);
  }
  return grow(size, bytes);
}

function grow(size: Measure, bytes: number): true {
  size.canonical += bytes;
  size.stored += bytes;
  return true;
}

/** What the escape of an ASCII character takes beyond one byte. */
function extraForEscape(code: number): number {
  if (code === 0x22 || code === 0x5c) return 1;
  if (code >= 0x20) return 0;
  const isShort = code >= 0x08 && code <= 0x0d && code !== 0x0b;
  return isShort ? 1 : 5;
}

/** What a UTF-16 code unit takes beyond one byte in UTF-8: a pair takes four, each half two. */
function extraBytes(code: number): number {
  if (code < 0x80) return 0;
  return code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
}

/** jsonb keeps numbers as decimals and prints all their digits: 1.5e-7 as 0.00000015. */
function storedNumberLength(value: number): number {
  const text = String(value);
  const [mantissa = '', exponent] = text.split('e');
  if (exponent === undefined) return text.length;
  const sign = value < 0 ? 1 : 0;
  const power = Number(exponent);
  if (power > 0) return sign + power + 1;
  // The digits after the point of 1.5e-7: the mantissa without its sign, first digit and point.
  const fraction = Math.max(0, mantissa.length - sign - 2);
  return sign + 2 - power + fraction;
}

/** Names every flaw, up to a limit, in a value that holds one. */
function locate(flaws: Flaw[], value: unknown, pointer: string, level: number): void {
  if (flaws.length >= MAX_FLAWS) return;
  if (typeof value === 'string') {
    report(flaws, pointer, flawOf(value));
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) report(flaws, pointer, 'number_out_of_range');
  } else if (typeof value === 'object' && value !== null) {
    if (level > MAX_DEPTH) report(flaws, pointer, 'too_deep');
    else locateWithin(flaws, value, pointer, level);
  } else if (typeof value !== 'boolean' && value !== null) {
    report(flaws, pointer, 'wrong_type');
  }
}

function locateWithin(flaws: Flaw[], container: object, pointer: string, level: number): void {
  if (Array.isArray(container)) {
    container.forEach((element, index) => locate(flaws, element, pointerTo(pointer, index), level + 1));
    return;
  }
  for (const [name, member] of Object.entries(container)) {
    const place = pointerTo(pointer, name);
    report(flaws, place, flawOf(name));
    if (member !== undefined) locate(flaws, member, place, level + 1);
  }
}

function flawOf(text: string): 'nul_character' | 'lone_surrogate' | undefined {
  if (text.includes('\0')) return 'nul_character';
  return text.isWellFormed() ? undefined : 'lone_surrogate';
}

const DETAILS = {
  nul_character: 'The character U+0000 cannot be stored; leave it out.',
  lone_surrogate: 'Half of a surrogate pair is not text; send the whole character.',
  number_out_of_range: 'Send a number that a double can hold, or a string.',
  too_deep: `Nest at most ${MAX_DEPTH} objects and arrays in an event, the event itself included.`,
  wrong_type: 'This is not a JSON value.',
} satisfies Partial<Record<FlawCode, string>>;

function report(flaws: Flaw[], pointer: string, code: keyof typeof DETAILS | undefined): void {
  if (code === undefined || flaws.length >= MAX_FLAWS) return;
  flaws.push({ pointer, code, detail: DETAILS[code] });
}
