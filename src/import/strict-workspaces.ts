import { READ_LIMIT } from '../db/call.ts';
import { readCatalogues } from '../db/catalogue.ts';
import type { Sql } from '../db/client.ts';
import { NearestTerms, unknownTerms, type Terms } from '../events/terms.ts';
import { patiently } from './patience.ts';
import type { PreparedRow } from './prepare-row.ts';
import { reasonOf, type ColumnOf } from './reason.ts';

/** Holds rows to what strict workspaces take, as the door does; so a dry run tells it too. It is read once, when a row first names them. */
export class StrictWorkspaces {
  readonly #sql: Sql;
  readonly #columnOf: ColumnOf;
  /** by workspace the answer that has it, if it is strict */
  readonly #read = new Map<string, Promise<ReadonlyMap<string, Terms>>>();

  constructor(sql: Sql, columnOf: ColumnOf) {
    this.#sql = sql;
    this.#columnOf = columnOf;
  }

  /**
   * @returns the rows of a page, those refused that their workspaces do not take
   * @throws ImportError when the database fails
   */
  async hold(page: readonly PreparedRow[]): Promise<readonly PreparedRow[]> {
    const strict = await this.#among(new Set(page.flatMap((row) => (row.ok ? [row.event.workspaceId] : []))));
    if (strict.size === 0) return page;
    const nearest = new NearestTerms();
    return page.map((row) => {
      const terms = row.ok ? strict.get(row.event.workspaceId) : undefined;
      if (!row.ok || terms === undefined) return row;
      const flaws = unknownTerms(row.event.terms, terms, 'workspace', nearest);
      if (flaws.length === 0) return row;
      return { ok: false, reasons: flaws.map((flaw) => reasonOf(flaw, this.#columnOf)) };
    });
  }

  async #among(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, Terms>> {
    const fresh = [...ids].filter((id) => !this.#read.has(id));
    if (fresh.length > 0) {
      const answer = this.#ask(fresh);
      for (const id of fresh) this.#read.set(id, answer);
    }
    const found = new Map<string, Terms>();
    for (const id of ids) {
      const terms = (await this.#read.get(id))?.get(id);
      if (terms !== undefined) found.set(id, terms);
    }
    return found;
  }

  async #ask(ids: readonly string[]): Promise<ReadonlyMap<string, Terms>> {
    return patiently(async () => readCatalogues(this.#sql, ids, AbortSignal.timeout(READ_LIMIT)));
  }
}
