import { isCardNumber } from './card-number.ts';
import { pointerTo } from './flaw.ts';
import { readJson } from './json.ts';
import { MAX_EVENT_BYTES } from './limits.ts';
import { setMember } from './member.ts';
import { meaningOf, secrecyOfName, type NameMeaning, type Secrecy } from './secret-names.ts';
import { isHarmless, isHarmlessNumber, redactText, REDACTED } from './secret-text.ts';

export { REDACTED } from './secret-text.ts';

/** JSON within a string within JSON is followed this far. */
const MAX_JSON_IN_STRINGS = 3;

/** What a value says that stands under no name, or under one that says nothing. */
const PLAIN: NameMeaning = { secrecy: undefined, card: false, identifier: false, side: false };

/** Members that name what their neighbours `old`, `new` or `value` belong to. */
const NAMING = [
  'field',
  'name',
  'key',
  'property',
  'attribute',
  'setting',
  'column',
  'path',
  'variable',
  'header',
];

/**
 * Redacts JSON values, keeping by reference what holds no secret, and notes where it replaced
 * something. The caller keeps `path` at the place of the value that it hands over.
 */
export class JsonRedactor {
  /** Reference tokens from the root to the value at hand. */
  readonly path: (string | number)[] = [];
  /** RFC 6901 pointers to what was replaced. */
  readonly redacted: string[] = [];
  readonly #level: number;
  /** Characters that the pointers may still take; past it only the field of the event is named. */
  #room = MAX_EVENT_BYTES;

  /** @param level How many strings this JSON is wrapped in. */
  constructor(level = 0) {
    this.#level = level;
  }

  /** Redacts a value of bounded depth; under a secret's name, whatever of it could be the secret. */
  value(value: unknown, secrecy?: Secrecy, meaning: NameMeaning = PLAIN): unknown {
    if (secrecy !== undefined && holdsSecret(value, secrecy)) return this.replaced(REDACTED);
    if (typeof value === 'string') return this.text(value, meaning);
    if (typeof value === 'number') {
      return meaning.card && isCardNumber(String(value)) ? this.replaced(REDACTED) : value;
    }
    if (typeof value !== 'object' || value === null) return value;
    // Members of an object are read by their names, whatever its type.
    return Array.isArray(value)
      ? this.elements(value, (element) => this.value(element, undefined, meaning))
      : this.#object(value as Record<string, unknown>);
  }

  /** Redacts a string, as JSON where it holds JSON. */
  text(text: string, meaning: NameMeaning = PLAIN): string {
    const result = this.#embedded(text) ?? redactText(text, !meaning.identifier);
    return result === text ? text : this.replaced(result);
  }

  /** Redacts the elements of an array, each by the same rule. */
  elements(array: unknown[], redact: (element: unknown) => unknown): unknown[] {
    let copy: unknown[] | undefined;
    for (const [index, element] of array.entries()) {
      this.path.push(index);
      const result = redact(element);
      this.path.pop();
      if (result === element) continue;
      copy ??= array.slice();
      copy[index] = result;
    }
    return copy ?? array;
  }

  /** Notes that the value at `path` was replaced. */
  replaced<T>(result: T): T {
    const length = this.path.reduce<number>((sum, token) => sum + String(token).length + 1, 0);
    // Thousands of places under one long name: their list must not outgrow the event many times over.
    const path = length <= this.#room ? this.path : this.path.slice(0, 1);
    const pointer = path.reduce<string>(pointerTo, '');
    // A member may lose both its name and its value.
    if (this.redacted.at(-1) === pointer) return result;
    this.#room -= length;
    this.redacted.push(pointer);
    return result;
  }

  #object(object: Record<string, unknown>): Record<string, unknown> {
    const entries = Object.entries(object);
    let isChanged = false;
    for (const entry of entries) {
      const [name, member] = entry;
      const newName = this.#name(name, object, entries);
      entry[0] = newName;
      this.path.push(newName);
      if (newName !== name) this.replaced(newName);
      const meaning = meaningOf(name);
      entry[1] = this.value(
        member,
        meaning.secrecy ?? (meaning.side ? secrecyNamedBy(object) : undefined),
        meaning,
      );
      this.path.pop();
      isChanged ||= newName !== name || entry[1] !== member;
    }
    return isChanged ? fromEntries(entries) : object;
  }

  /** The redacted form of a name, numbered where two names of an object would become one. */
  #name(name: string, object: Record<string, unknown>, entries: [string, unknown][]): string {
    const redacted = redactText(name, true);
    if (redacted === name) return name;
    let free = redacted;
    for (
      let count = 2;
      Object.hasOwn(object, free) || entries.some(([taken]) => taken === free);
      count += 1
    ) {
      free = `${redacted} ${count}`;
    }
    return free;
  }

  /** The text with the JSON that it holds redacted; undefined where it holds none. */
  #embedded(text: string): string | undefined {
    if (this.#level >= MAX_JSON_IN_STRINGS || text === REDACTED || !CONTAINER.test(text)) return undefined;
    const reading = readJson(text);
    if (!reading.ok) return undefined;
    const inner = new JsonRedactor(this.#level + 1);
    const result = inner.value(reading.value);
    const isChanged = inner.redacted.length > 0;
    // The value is not all that the text says: what was not read is text, and cannot be written back.
    if (reading.flaws.length > 0) return isChanged ? REDACTED : undefined;
    return isChanged ? JSON.stringify(result) : text;
  }
}

const CONTAINER = /^\s*(?:\{[^]*\}|\[[^]*\])\s*$/;

/** Whether a value, or anything in it, could be the secret that its name announces. */
function holdsSecret(value: unknown, secrecy: Secrecy): boolean {
  if (typeof value === 'string') return !isHarmless(value, secrecy);
  if (typeof value === 'number') return !isHarmlessNumber(value, secrecy);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((member) => holdsSecret(member, secrecy));
}

/** The secrecy in `{field: "password", old: …, new: …}`. */
export function secrecyNamedBy(object: Record<string, unknown>): Secrecy | undefined {
  for (const name of NAMING) {
    const value = object[name];
    const secrecy = typeof value === 'string' ? secrecyOfName(value) : undefined;
    if (secrecy !== undefined) return secrecy;
  }
  return undefined;
}

function fromEntries(entries: [string, unknown][]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [name, member] of entries) setMember(object, name, member);
  return object;
}
