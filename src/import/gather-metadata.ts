import type { JsonObject } from '../events/kinds.ts';
import type { Reason } from './reason.ts';

/** The metadata of one event, gathered from columns. */
export class Metadata {
  #members: JsonObject | undefined;
  readonly reasons: Reason[] = [];

  get value(): JsonObject | undefined {
    return this.#members;
  }

  /** What a column of metadata or details holds: its members where it is an object, otherwise one of the column's name. */
  addFree(column: string, value: unknown): void {
    if (value === undefined || value === null || value === '') return;
    if (!isObject(value)) this.addMember(column, value);
    else if (this.#members === undefined) this.#members = value;
    else if (Object.keys(value).some((name) => this.#has(name))) this.addMember(column, value);
    else this.#add(Object.entries(value));
  }

  addMember(name: string, value: unknown): void {
    if (!this.#has(name)) this.#add([[name, value]]);
    else
      this.reasons.push({
        column: name,
        code: 'duplicate_name',
        detail: 'The metadata has a member of this name already; say in a mapping where the column goes.',
      });
  }

  #has(name: string): boolean {
    return this.#members !== undefined && Object.hasOwn(this.#members, name);
  }

  #add(members: [string, unknown][]): void {
    // By entries: a member named __proto__ stays a member.
    this.#members = Object.fromEntries([...Object.entries(this.#members ?? {}), ...members]);
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
