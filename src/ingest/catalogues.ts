import { readCatalogues, readStrictWorkspaces } from '../db/catalogue.ts';
import type { Sql } from '../db/client.ts';
import type { Terms } from '../events/terms.ts';
import { Renewed } from '../http/renewed.ts';

/** Strict workspaces whose terms an isolate keeps. */
const MAX_KEPT = 1000;

type WaitUntil = (promise: Promise<unknown>) => void;

/**
 * What strict workspaces take, as this isolate last read it: at most a minute old while the database answers. What an isolate
 * does not know it lets pass: the database refuses it.
 */
export class Catalogues {
  readonly #sql: Sql;
  readonly #strict: Renewed<ReadonlySet<string>>;
  /** By workspace, those that were asked for last at the end. */
  readonly #terms = new Map<string, Renewed<Terms | undefined>>();

  constructor(sql: Sql) {
    this.#sql = sql;
    this.#strict = new Renewed((signal) => readStrictWorkspaces(sql, signal), warn);
  }

  /** @returns the terms of those of the workspaces that are strict */
  async of(workspaceIds: ReadonlySet<string>, waitUntil: WaitUntil): Promise<ReadonlyMap<string, Terms>> {
    await this.#strict.renew(waitUntil);
    const strict = [...workspaceIds].filter((id) => this.#strict.value?.has(id) === true);
    const found = new Map<string, Terms>();
    await Promise.all(
      strict.map(async (id) => {
        const kept = this.#keep(id);
        await kept.renew(waitUntil);
        if (kept.value !== undefined) found.set(id, kept.value);
      }),
    );
    return found;
  }

  /** The workspace was changed through this isolate. */
  expire(workspaceId: string): void {
    this.#strict.expire();
    this.#terms.get(workspaceId)?.expire();
  }

  #keep(id: string): Renewed<Terms | undefined> {
    const kept =
      this.#terms.get(id) ??
      new Renewed(async (signal) => (await readCatalogues(this.#sql, [id], signal)).get(id), warn);
    this.#terms.delete(id);
    this.#terms.set(id, kept);
    const [oldest] = this.#terms.keys();
    if (this.#terms.size > MAX_KEPT && oldest !== undefined) this.#terms.delete(oldest);
    return kept;
  }
}

function warn(error: unknown): void {
  const name = error instanceof Error ? error.name : 'unknown';
  console.warn(JSON.stringify({ event: 'catalogue_not_read', error: name }));
}
