import type { Sql } from '../db/client.ts';
import { patiently } from './patience.ts';

/** Makes the workspaces known that events name, and tells which are new. */
export class Workspaces {
  readonly #sql: Sql;
  readonly #query: string;
  readonly #known = new Map<string, Promise<void>>();
  readonly #fresh = new Set<string>();

  /** @param dryRun makes none, and only looks which there are */
  constructor(sql: Sql, dryRun: boolean) {
    this.#sql = sql;
    this.#query = dryRun ? LOOK : MAKE;
  }

  /** Those that were not there before. */
  get fresh(): ReadonlySet<string> {
    return this.#fresh;
  }

  /** @throws ImportError when the database fails */
  async ensure(ids: ReadonlySet<string>): Promise<void> {
    const unknown = [...ids].filter((id) => !this.#known.has(id));
    if (unknown.length > 0) {
      const made = this.#make(unknown);
      for (const id of unknown) this.#known.set(id, made);
    }
    await Promise.all([...ids].map((id) => this.#known.get(id)));
  }

  /** A promise of its own: the driver's runs its query each time that it is awaited. */
  async #make(ids: readonly string[]): Promise<void> {
    const rows = await patiently(async () => this.#sql.query(this.#query, [ids]));
    for (const row of rows) this.#fresh.add(String(row['id']));
  }
}

const MAKE =
  'INSERT INTO audit.workspaces (id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING RETURNING id';
const LOOK =
  'SELECT id FROM unnest($1::text[]) AS named (id) WHERE NOT EXISTS (SELECT FROM audit.workspaces w WHERE w.id = named.id)';
