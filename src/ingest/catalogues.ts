import { readCatalogues, readStrictWorkspaces } from '../db/catalogue.ts';
import type { Sql } from '../db/client.ts';
import type { Terms } from '../events/terms.ts';
import { FRESH, Renewed } from '../http/renewed.ts';

/** Strict workspaces whose terms an isolate keeps, */
const MAX_KEPT = 1000;
/** and the characters of their names: those of 30 workspaces that have all they may. */
const MAX_CHARACTERS = 4 * 1024 * 1024;
/** ms; before something is refused by terms that are older, they are read again. */
const DOUBTFUL = 5000;

type WaitUntil = (promise: Promise<unknown>) => void;

interface Kept {
  terms: Renewed<Terms | undefined>;
  characters: number;
}

/**
 * What strict workspaces take, as this isolate read it within the last minute. What an isolate does not know it lets pass:
 * the database refuses it.
 */
export class Catalogues {
  readonly #sql: Sql;
  readonly #strict: Renewed<ReadonlySet<string>>;
  /** By workspace, those that were asked for last at the end. */
  readonly #kept = new Map<string, Kept>();
  #characters = 0;
  /** workspaces whose terms are about to be read in one call */
  #next: { ids: string[]; answer: Promise<ReadonlyMap<string, Terms>> } | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.#strict = new Renewed((signal) => readStrictWorkspaces(sql, signal), warn);
  }

  /** @returns the terms of those of the workspaces that are strict */
  async of(workspaceIds: ReadonlySet<string>, waitUntil: WaitUntil): Promise<ReadonlyMap<string, Terms>> {
    await this.#strict.renew(waitUntil);
    const { value: strict, age } = this.#strict;
    if (strict === undefined || age > FRESH) return new Map();
    return this.#termsOf(
      [...workspaceIds].filter((id) => strict.has(id)),
      waitUntil,
    );
  }

  /** The same for workspaces that are known to be strict, read within the last seconds if that can be had. */
  async again(workspaceIds: ReadonlySet<string>, waitUntil: WaitUntil): Promise<ReadonlyMap<string, Terms>> {
    return this.#termsOf([...workspaceIds], waitUntil, DOUBTFUL);
  }

  /** The workspace was changed through this isolate. */
  expire(workspaceId: string): void {
    this.#strict.expire();
    this.#kept.get(workspaceId)?.terms.expire();
  }

  async #termsOf(ids: readonly string[], waitUntil: WaitUntil, oldest?: number) {
    const found = new Map<string, Terms>();
    await Promise.all(
      ids.map(async (id) => {
        const { terms } = this.#keep(id);
        await terms.renew(waitUntil, oldest);
        if (terms.value !== undefined && terms.age <= FRESH) found.set(id, terms.value);
      }),
    );
    return found;
  }

  #keep(id: string): Kept {
    const kept = this.#kept.get(id) ?? this.#make(id);
    this.#kept.delete(id);
    this.#kept.set(id, kept);
    this.#forgetOldest();
    return kept;
  }

  #make(id: string): Kept {
    const read = async (signal: AbortSignal) => {
      const terms = (await this.#readTogether(id, signal)).get(id);
      const characters = charactersOf(terms);
      if (this.#kept.get(id) === kept) this.#characters += characters - kept.characters;
      kept.characters = characters;
      this.#forgetOldest();
      return terms;
    };
    const kept: Kept = { terms: new Renewed(read, () => {}), characters: 0 };
    return kept;
  }

  /** Those that one request needs are asked for in the same turn; so is a failure told once. */
  async #readTogether(id: string, signal: AbortSignal): Promise<ReadonlyMap<string, Terms>> {
    if (this.#next === undefined) {
      const ids: string[] = [];
      const answer = Promise.resolve()
        .then(() => {
          this.#next = undefined;
          return readCatalogues(this.#sql, ids, signal);
        })
        .catch((error: unknown) => {
          warn(error);
          throw error;
        });
      this.#next = { ids, answer };
    }
    this.#next.ids.push(id);
    return this.#next.answer;
  }

  #forgetOldest(): void {
    for (const [id, { characters }] of this.#kept) {
      if (this.#kept.size <= MAX_KEPT && this.#characters <= MAX_CHARACTERS) return;
      this.#kept.delete(id);
      this.#characters -= characters;
    }
  }
}

function charactersOf(terms: Terms | undefined): number {
  let sum = 0;
  for (const names of [terms?.actions ?? [], terms?.targetTypes ?? []]) {
    for (const name of names) sum += name.length;
  }
  return sum;
}

function warn(error: unknown): void {
  const name = error instanceof Error ? error.name : 'unknown';
  console.warn(JSON.stringify({ event: 'catalogue_not_read', error: name }));
}
