import { pointerTo, type Flaw, type FlawCode } from './flaw.ts';
import type { JsonReading } from './json.ts';
import { numberFlaw } from './json-number.ts';
import { MAX_DEPTH } from './limits.ts';
import { setMember } from './member.ts';

/** Containers nested deeper than this are held to the grammar and not read; no event reaches so deep. */
export const MAX_JSON_LEVELS = 512;

/** Room for what is reported, in characters: answers must not outgrow the text many times over. */
const MAX_REPORT = 1_000_000;
const FLAW_OVERHEAD = 100;

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const PLAIN_CHARACTERS = /[\x20\x21\x23-\x5b\x5d-\uffff]*/y;
const HEX4 = /[0-9a-fA-F]{4}/y;
const ESCAPES = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }),
);

/**
 * Reads a JSON text by recursive descent, naming every place at which `JSON.parse` would keep
 * something other than what stands there. Slower than it; accepts exactly the same texts.
 * What is nested deeper than `MAX_JSON_LEVELS` is a flaw, and null in the value.
 */
export function readStrictly(text: string): JsonReading {
  const reader = new Reader(text);
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
  #at = 0;
  #report = 0;
  /** The container at hand that no event may hold, as `measure` names it, unless it was reported. */
  #deepPlace: string | undefined;
  #isSkipping = false;
  /** Which of the skipped containers around the place at hand are objects. */
  #isObject: Uint8Array | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    const value = this.#value('', 0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#failure('Nothing may follow the JSON value.');
    return value;
  }

  #value(pointer: string, level: number): unknown {
    this.#space();
    const bracket = this.#text[this.#at];
    if (bracket !== '{' && bracket !== '[') return this.#scalar(pointer);
    if (level >= MAX_JSON_LEVELS) return this.#tooDeep();
    if (level === MAX_DEPTH) this.#deepPlace = pointer;
    this.#at += 1;
    return bracket === '{' ? this.#object(pointer, level + 1) : this.#array(pointer, level + 1);
  }

  #scalar(pointer: string): unknown {
    switch (this.#text[this.#at]) {
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
    const object: Record<string, unknown> = {};
    if (this.#closes('}')) return object;
    do {
      const known = this.flaws.length;
      const start = this.#at;
      const name = this.#name(pointer);
      const place = pointerTo(pointer, name);
      // A flaw within the name belongs to the member, which has a pointer only once it is read.
      for (const flaw of this.flaws.slice(known)) flaw.pointer = place;
      if (Object.hasOwn(object, name)) {
        this.#flaw(place, 'duplicate_name', 'This name occurs twice in its object; send it once.', start);
      }
      setMember(object, name, this.#value(place, level));
    } while (this.#continues('}', 'object'));
    return object;
  }

  #array(pointer: string, level: number): unknown[] {
    const array: unknown[] = [];
    if (this.#closes(']')) return array;
    do {
      array.push(this.#value(pointerTo(pointer, array.length), level));
    } while (this.#continues(']', 'array'));
    return array;
  }

  /** The name of a member, with the colon behind it. */
  #name(pointer: string): string {
    this.#space();
    if (this.#text[this.#at] !== '"') throw this.#failure('A member name in double quotes must stand here.');
    const name = this.#string(pointer);
    this.#space();
    if (this.#text[this.#at] !== ':') throw this.#failure('A colon must follow the member name.');
    this.#at += 1;
    return name;
  }

  /** Once for all that is nested too deep within one container. */
  #tooDeep(): null {
    if (this.#deepPlace !== undefined) {
      const detail = `What is in here is nested deeper than ${MAX_JSON_LEVELS} levels; an event may nest ${MAX_DEPTH}, itself included.`;
      this.#flaw(this.#deepPlace, 'too_deep', detail, this.#at);
      this.#deepPlace = undefined;
    }
    this.#isSkipping = true;
    this.#skip();
    this.#isSkipping = false;
    return null;
  }

  /** Passes over a container, in constant stack however deep it is. */
  #skip(): void {
    const isObject = (this.#isObject ??= new Uint8Array(this.#text.length));
    let depth = 0;
    do {
      depth = this.#skipInwards(isObject, depth);
      depth = this.#skipOutwards(isObject, depth);
    } while (depth > 0);
  }

  /** Passes opening brackets, and the scalar or the empty container that they lead to. */
  #skipInwards(isObject: Uint8Array, outer: number): number {
    let depth = outer;
    for (;;) {
      this.#space();
      const bracket = this.#text[this.#at];
      if (bracket !== '{' && bracket !== '[') {
        this.#scalar('');
        return depth;
      }
      this.#at += 1;
      if (this.#closes(bracket === '{' ? '}' : ']')) return depth;
      isObject[depth] = bracket === '{' ? 1 : 0;
      depth += 1;
      if (bracket === '{') this.#name('');
    }
  }

  /** Passes closing brackets, up to where the next value stands. */
  #skipOutwards(isObject: Uint8Array, inner: number): number {
    for (let depth = inner; depth > 0; depth -= 1) {
      const isMember = isObject[depth - 1] === 1;
      const continues = isMember ? this.#continues('}', 'object') : this.#continues(']', 'array');
      if (continues && isMember) this.#name('');
      if (continues) return depth;
    }
    return 0;
  }

  #closes(bracket: string): boolean {
    this.#space();
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
    const code = numberFlaw(literal, value);
    if (code !== undefined) this.#flaw(pointer, code, NUMBER_DETAILS[code], start);
    return value;
  }

  #space(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #flaw(pointer: string, code: FlawCode, detail: string, start: number): void {
    if (this.#isSkipping) return;
    this.#report += pointer.length + FLAW_OVERHEAD;
    if (this.#report > MAX_REPORT)
      throw new SyntaxFailure(start, 'Too many places of this text cannot be kept as sent.');
    this.flaws.push({ pointer, code, detail });
  }

  #failure(detail: string): SyntaxFailure {
    return new SyntaxFailure(this.#at, detail);
  }
}

const NUMBER_DETAILS = {
  number_out_of_range: 'A double cannot hold this number; send it as a string.',
  number_precision: 'A double cannot hold all these digits; send them as a string.',
};

/** Whether a character, by its code, is one of those that JSON allows between tokens. */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
