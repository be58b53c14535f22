import type { Flaw } from './flaw.ts';
import { isSpace, MAX_JSON_LEVELS, readStrictly } from './json-strict.ts';
import { MAX_EVENT_BYTES } from './limits.ts';

/** What a JSON text says, or where it stops being JSON. */
export type JsonReading =
  | { ok: true; value: unknown; flaws: Flaw[] }
  | {
      ok: false;
      /** Offset in UTF-16 code units. */
      position: number;
      detail: string;
    };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Reads a JSON text (RFC 8259) without ever changing what it says.
 *
 * `JSON.parse` alone alters evidence in silence: the last of two equal names wins, integers
 * past 2^53 are rounded, 1e999 becomes Infinity. Each such place comes back as a flaw with
 * its pointer, so that the event holding it can be refused. Most texts hold none, and a few
 * cheap sufficient conditions prove it; only the others pay for the strict reader.
 *
 * Depth within an event is checked where events are known (`measure`); what is nested deeper than
 * 512 levels is a flaw here already, and null in the value.
 */
export function readJson(text: string): JsonReading {
  const value = readPlain(text);
  return value === undefined ? readStrictly(text) : { ok: true, value, flaws: [] };
}

/** The parsed value where it provably says what the text says; undefined where that takes a closer look. */
export function readPlain(text: string): unknown {
  if (!text.isWellFormed() || hasLongNumber(text) || UNDERFLOW.test(text) || isDeep(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const suspicion = { escapes: text.includes('\\'), characters: SUSPECT_ESCAPE.test(text) };
  const members = countMembers(value, suspicion, 1);
  return members === countNames(text) ? value : undefined;
}

/** What the text of a value calls for. */
interface Suspicion {
  /**
   * Names may have been misread: V8 (in Node 24, at least) takes `"\u0062"` for a single backslash
   * where an earlier object of that shape had such a name (nodejs/node#63785). What it then
   * puts in the place of a name always holds a backslash.
   */
  escapes: boolean;
  /** NUL or lone surrogates may have been escaped. */
  characters: boolean;
}

/** An escape that may stand for NUL or half of a surrogate pair. */
const SUSPECT_ESCAPE = /\\u(?:0000|[dD][89a-fA-F])/;

/** A number that may be too near to zero: its exponent has three digits and a minus. */
const UNDERFLOW = /(?:^|[:,[\s])-?\d+(?:\.\d+)?[eE]-\d{3}/;

/** A run that could be an integer past 2^53, or hold more than 17 significant digits. */
const LONG_RUN = 16;

/**
 * True where a number literal may be too long for a double. Any such literal has a run of 16
 * or more digits and points, and such a run covers an offset divisible by 16.
 */
function hasLongNumber(text: string): boolean {
  for (let probe = 0; probe < text.length; probe += LONG_RUN) {
    if (!isDigitOrPoint(text.charCodeAt(probe))) continue;
    let start = probe;
    while (isDigitOrPoint(text.charCodeAt(start - 1))) start -= 1;
    let end = probe + 1;
    while (isDigitOrPoint(text.charCodeAt(end))) end += 1;
    // What follows a quote or a letter is text, such as the digits of a long identifier.
    if (end - start >= LONG_RUN && !isTextBefore(text, start)) return true;
    if (end > probe + LONG_RUN) probe = end - (end % LONG_RUN);
  }
  return false;
}

function isTextBefore(text: string, start: number): boolean {
  const code = text.charCodeAt(start - 1);
  return code === QUOTE || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

function isDigitOrPoint(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e;
}

/**
 * True for a batch that nests too deep to be walked: JSON.parse would take 120 MB and half a second
 * for 4 MiB of brackets. What nests within one event's length does no harm.
 */
function isDeep(text: string): boolean {
  if (text.length <= MAX_EVENT_BYTES) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === 0x5b || code === 0x7b) depth += 1;
    else if (code === 0x5d || code === 0x7d) depth -= 1;
    if (depth > MAX_JSON_LEVELS) return true;
  }
  return false;
}

function endOfString(text: string, start: number): number {
  let end = start;
  do end = text.indexOf('"', end + 1);
  while (end !== -1 && isEscaped(text, end));
  return end === -1 ? text.length : end;
}

/** Whether an odd number of backslashes makes the quote a character of a string. */
function isEscaped(text: string, quote: number): boolean {
  let slash = quote - 1;
  while (text.charCodeAt(slash) === BACKSLASH) slash -= 1;
  return (quote - slash) % 2 === 0;
}

/**
 * Counts the quotes that a colon follows: every member name of a valid text, and the strings
 * that begin with a colon. Never fewer than the names, so that equality proves them distinct.
 */
function countNames(text: string): number {
  let names = 0;
  for (let colon = text.indexOf(':'); colon !== -1; colon = text.indexOf(':', colon + 1)) {
    let at = colon - 1;
    while (isSpace(text.charCodeAt(at))) at -= 1;
    if (text.charCodeAt(at) === QUOTE && !isEscaped(text, at)) names += 1;
  }
  return names;
}

/** Counts the members of all objects; NaN where the value holds something to look at closely. */
function countMembers(value: unknown, suspicion: Suspicion, level: number): number {
  if (typeof value === 'number') return Number.isFinite(value) ? 0 : Number.NaN;
  if (typeof value === 'string') return suspicion.characters && isFlawed(value) ? Number.NaN : 0;
  if (typeof value !== 'object' || value === null) return 0;
  if (level > MAX_JSON_LEVELS) return Number.NaN;
  let members = 0;
  if (Array.isArray(value)) {
    for (const element of value) members += countMembers(element, suspicion, level + 1);
    return members;
  }
  for (const [name, member] of Object.entries(value)) {
    if (suspicion.escapes && (name.includes('\\') || isFlawed(name))) return Number.NaN;
    members += 1 + countMembers(member, suspicion, level + 1);
  }
  return members;
}

function isFlawed(text: string): boolean {
  return text.includes('\0') || !text.isWellFormed();
}
