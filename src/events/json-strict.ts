import { pointerTo, type Flaw, type FlawCode } from './flaw.ts';
import type { JsonReading } from './json.ts';
import { setMember } from './member.ts';

/** Room for what is reported, in characters: answers must not outgrow the text many times over. */
const MAX_REPORT = 1_000_000;
const FLAW_OVERHEAD = 100;

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const PLAIN_CHARACTERS = /[\x20\x21\x23-\x5b\x5d-\uffff]*/y;
const SPACE = /[ \t\n\r]*/y;
const HEX4 = /[0-9a-fA-F]{4}/y;
const ESCAPES = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }),
);

/**
 * Reads a JSON text by recursive descent, naming every place at which `JSON.parse` would keep
 * something other than what stands there. Slower than it; accepts exactly the same texts, up
 * to `maxLevels` nested containers.
 */
export function readStrictly(text: string, maxLevels: number): JsonReading {
  const reader = new Reader(text, maxLevels);
  try {
    return { ok: true, value: reader.document(), flaws: reader.flaws };
  } catch (error) {
    if (error instanceof SyntaxFailure) return { ok: false, position: error.position, detail: error.message };
    throw error;
  }
}

/** Leaves the descent; never leaves this file. */
class SyntaxFailure extends Error {
  readonly position: number;
  constructor(position: number, detail: string) {
    super(detail);
    this.position = position;
  }
}

class Reader {
  readonly flaws: Flaw[] = [];
  readonly #text: string;
  readonly #maxLevels: number;
  #at = 0;
  #report = 0;

  constructor(text: string, maxLevels: number) {
    this.#text = text;
    this.#maxLevels = maxLevels;
  }

  document(): unknown {
    const value = this.#value('', 0);
    this.#match(SPACE);
    if (this.#at < this.#text.length) throw this.#failure('Nothing may follow the JSON value.');
    return value;
  }

  #value(pointer: string, level: number): unknown {
    this.#match(SPACE);
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(pointer, level + 1);
      case '[':
        return this.#array(pointer, level + 1);
      case '"':
        return this.#string(pointer);
      case 't':
        return this.#literal('true', true);
      case 'f':
        return this.#literal('false', false);
      case 'n':
        return this.#literal('null', null);
      default:
        return this.#number(pointer);
    }
  }

  #object(pointer: string, level: number): Record<string, unknown> {
    this.#enter(level);
    const object: Record<string, unknown> = {};
    if (this.#closes('}')) return object;
    do {
      this.#match(SPACE);
      if (this.#text[this.#at] !== '"')
        throw this.#failure('A member name in double quotes must stand here.');
      const start = this.#at;
      const known = this.flaws.length;
      const name = this.#string(pointer);
      const place = pointerTo(pointer, name);
      // A flaw within the name belongs to the member, which has a pointer only once it is read.
      for (const flaw of this.flaws.slice(known)) flaw.pointer = place;
      if (Object.hasOwn(object, name)) {
        this.#flaw(place, 'duplicate_name', 'This name occurs twice in its object; send it once.', start);
      }
      this.#match(SPACE);
      if (this.#text[this.#at] !== ':') throw this.#failure('A colon must follow the member name.');
      this.#at += 1;
      setMember(object, name, this.#value(place, level));
    } while (this.#continues('}', 'object'));
    return object;
  }

  #array(pointer: string, level: number): unknown[] {
    this.#enter(level);
    const array: unknown[] = [];
    if (this.#closes(']')) return array;
    do {
      array.push(this.#value(pointerTo(pointer, array.length), level));
    } while (this.#continues(']', 'array'));
    return array;
  }

  #enter(level: number): void {
    if (level > this.#maxLevels)
      throw this.#failure(`The JSON is nested deeper than ${this.#maxLevels} levels.`);
    this.#at += 1;
  }

  #closes(bracket: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== bracket) return false;
    this.#at += 1;
    return true;
  }

  #continues(bracket: string, container: string): boolean {
    if (this.#closes(bracket)) return false;
    if (this.#text[this.#at] !== ',')
      throw this.#failure(`A comma or the end of the ${container} must stand here.`);
    this.#at += 1;
    return true;
  }

  #string(pointer: string): string {
    const start = this.#at;
    this.#at += 1;
    let value = '';
    for (;;) {
      value += this.#match(PLAIN_CHARACTERS);
      const stop = this.#text[this.#at];
      if (stop === '"') break;
      if (stop === undefined) throw this.#failure('The text ends within a string.');
      if (stop !== '\\') throw this.#failure('A control character within a string must be escaped.');
      value += this.#escape();
    }
    this.#at += 1;
    if (value.includes('\0')) {
      this.#flaw(pointer, 'nul_character', 'The character U+0000 cannot be stored; leave it out.', start);
    }
    if (!value.isWellFormed()) {
      this.#flaw(
        pointer,
        'lone_surrogate',
        'Half of a surrogate pair is not text; send the whole character.',
        start,
      );
    }
    return value;
  }

  #escape(): string {
    const start = this.#at;
    const letter = this.#text[start + 1] ?? '';
    this.#at += 2;
    const plain = ESCAPES.get(letter);
    if (plain !== undefined) return plain;
    const digits = letter === 'u' ? this.#match(HEX4) : '';
    if (digits === '') throw new SyntaxFailure(start, 'This escape sequence does not exist in JSON.');
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #literal(word: string, value: boolean | null): boolean | null {
    if (!this.#text.startsWith(word, this.#at)) throw this.#failure('A JSON value must stand here.');
    this.#at += word.length;
    return value;
  }

  #number(pointer: string): number {
    const start = this.#at;
    const literal = this.#match(NUMBER);
    if (literal === '') {
      const ended = start >= this.#text.length;
      throw this.#failure(
        ended ? 'The text ends where a JSON value must stand.' : 'A JSON value must stand here.',
      );
    }
    const value = Number(literal);
    const digits = significantDigits(literal);
    if (!Number.isFinite(value) || (value === 0 && digits !== '')) {
      this.#flaw(
        pointer,
        'number_out_of_range',
        'A double cannot hold this number; send it as a string.',
        start,
      );
    } else if (losesDigits(literal, digits, value)) {
      this.#flaw(
        pointer,
        'number_precision',
        'A double cannot hold all these digits; send them as a string.',
        start,
      );
    }
    return value;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #flaw(pointer: string, code: FlawCode, detail: string, start: number): void {
    this.#report += pointer.length + FLAW_OVERHEAD;
    if (this.#report > MAX_REPORT)
      throw new SyntaxFailure(start, 'Too many places of this text cannot be kept as sent.');
    this.flaws.push({ pointer, code, detail });
  }

  #failure(detail: string): SyntaxFailure {
    return new SyntaxFailure(this.#at, detail);
  }
}

const MAX_DIGITS = 17;
const MIN_NORMAL = 2.2250738585072014e-308;

function losesDigits(literal: string, digits: string, value: number): boolean {
  if (/^-?\d+$/.test(literal)) return !Number.isSafeInteger(value);
  if (digits.length > MAX_DIGITS) return true;
  // Close to zero a double has fewer digits left than it promises elsewhere.
  return value !== 0 && Math.abs(value) < MIN_NORMAL && significantDigits(String(value)) !== digits;
}

/** The digits of a number literal without its exponent and the zeros on either side. */
function significantDigits(literal: string): string {
  const mantissa = literal.replace(/[eE].*$/, '').replace(/[-.]/g, '');
  let start = 0;
  let end = mantissa.length;
  while (mantissa[start] === '0') start += 1;
  while (end > start && mantissa[end - 1] === '0') end -= 1;
  return mantissa.slice(start, end);
}
