import type { Sql } from '../db/client.ts';
import { patiently } from './patience.ts';

/** Makes the workspaces known that events name. */
export class Workspaces {
  readonly #sql: Sql;
  readonly #known = new Map<string, Promise<unknown>>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** @throws ImportError when the database fails */
  async ensure(ids: ReadonlySet<string>): Promise<void> {
    const fresh = [...ids].filter((id) => !this.#known.has(id));
    if (fresh.length > 0) {
      const made = this.#make(fresh);
      for (const id of fresh) this.#known.set(id, made);
    }
    await Promise.all([...ids].map((id) => this.#known.get(id)));
  }

  /** A promise of its own: the driver's runs its query each time that it is awaited. */
  async #make(ids: readonly string[]): Promise<void> {
    const query = 'INSERT INTO audit.workspaces (id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING';
    await patiently(async () => this.#sql.query(query, [ids]));
  }
}
