import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from '../db/client.ts';
import { ImportError } from './import-error.ts';
import { patiently } from './patience.ts';

const ATTEMPTS = 40;

/** An event that needs room. */
export interface Placed {
  /** RFC 3339, in UTC */
  createdAt: string;
  hasAddress: boolean;
}

/** Makes the partitions that rows of the past need: of their months, and of their days while addresses are kept. */
export class Partitions {
  readonly #sql: Sql;
  readonly #ipHorizon: string;
  readonly #made = new Set<string>();
  /** One caller at a time: two would make the same partition. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param ipHorizon addresses of this time and before are forgotten; RFC 3339, in UTC */
  constructor(sql: Sql, ipHorizon: string) {
    this.#sql = sql;
    this.#ipHorizon = ipHorizon;
  }

  /** @throws ImportError when a lock is held for too long or the database fails */
  async ensure(rows: readonly Placed[]): Promise<void> {
    const turn = this.#last.then(() => this.#ensure(rows));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #ensure(rows: readonly Placed[]): Promise<void> {
    const wanted = new Map<string, { parent: string; at: string }>();
    for (const { createdAt, hasAddress } of rows) {
      const month = `${createdAt.slice(0, 7)}-01`;
      const parents = [
        ['events', month],
        ['event_targets', month],
      ];
      if (hasAddress && createdAt > this.#ipHorizon) parents.push(['event_ips', createdAt.slice(0, 10)]);
      for (const [parent = '', day = ''] of parents) {
        const key = `${parent} ${day}`;
        if (!this.#made.has(key)) wanted.set(key, { parent, at: `${day}T00:00:00Z` });
      }
    }
    if (wanted.size === 0) return;
    await this.#make([...wanted.values()]);
    for (const key of wanted.keys()) this.#made.add(key);
  }

  /** Retention may have dropped what was made. */
  forget(): void {
    this.#made.clear();
  }

  async #make(wanted: readonly { parent: string; at: string }[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const parameters = [wanted.map(({ parent }) => parent), wanted.map(({ at }) => at)];
        await patiently(async () => this.#sql.query(MAKE, parameters), CONTENDED);
        return;
      } catch (error) {
        if (error instanceof ImportError) throw error;
        if (attempt === ATTEMPTS) throw new ImportError(HELD, { cause: error });
        await pause(50 + Math.random() * 200);
      }
    }
  }
}

const MAKE = `
  SELECT audit.make_partition(w.parent, w.at)
  FROM unnest($1::text[], $2::timestamptz[]) AS w (parent, at), LATERAL audit.partition_at(w.parent, w.at) AS p
  WHERE NOT EXISTS (SELECT FROM audit.partitions e WHERE e.name = p.name AND e.attached)`;

/** The lock is held; the hourly run made it meanwhile, or has detached it and drops it next. */
const CONTENDED = new Set(['55P03', '42P07', '23505', '40P01']);

const HELD =
  'A partition could not be made: its table is locked, or was detached and waits to be dropped. See what holds it, or run "daybook retention run"; then the same command again: nothing is stored twice.';
