import type { Sql } from '../db/client.ts';
import { within } from '../http/within.ts';

const SECOND = 1000;
/** A revoked key stops working within this time. */
const FRESH = 60 * SECOND;
/** From this age on the list is renewed while requests go on with the old one. */
const AGEING = 30 * SECOND;
/** Without a list younger than this, reading and administration stop. */
const TOO_OLD = 300 * SECOND;
/** How long a request waits for the list before it goes on with the last known one. */
const PATIENCE = 500;
/** After a failure the database is left alone for this long. */
const BACK_OFF = 5 * SECOND;
/** A call that takes longer has failed. */
const CALL_LIMIT = 5 * SECOND;
/** So long after a call that hung nobody waits for another: until the next has ended too. */
const HUNG = BACK_OFF + 2 * CALL_LIMIT;

interface Refresh {
  startedAt: number;
  done: Promise<void>;
}

export type RevocationState = 'revoked' | 'valid' | 'unknown';

/**
 * Ids of revoked keys, as this isolate last read them. Writes go on with the last known list when the database fails
 * (`unknown` is good enough for them); reads and administration need one of the last five minutes.
 */
export class RevocationList {
  #revoked: ReadonlySet<string> = new Set();
  #readAt = -Infinity;
  #failedAt = -Infinity;
  #hungAt = -Infinity;
  #refresh: Refresh | undefined;
  readonly #sql: Sql;
  readonly #now: () => number;

  constructor(sql: Sql, now: () => number = Date.now) {
    this.#sql = sql;
    this.#now = now;
  }

  /** ms since 1970: when the database last gave the list, or failed to. API keys were in use then. */
  get askedAt(): number {
    return Math.max(this.#readAt, this.#failedAt);
  }

  /**
   * @param waitUntil keeps a refresh alive after its request was answered
   * @returns `unknown` when the list is too old to say that a key is valid
   */
  async check(keyId: string, waitUntil: (promise: Promise<unknown>) => void): Promise<RevocationState> {
    const age = this.#now() - this.#readAt;
    const sinceFailure = this.#now() - this.#failedAt;
    if (age > AGEING && sinceFailure > BACK_OFF) {
      const refresh = this.#underWay() ?? this.#start(waitUntil);
      // Only the first requests wait for a database that hangs: not those of each later attempt.
      const isWorthIt = age > FRESH && this.#now() - this.#hungAt > HUNG;
      if (isWorthIt) await within(refresh.startedAt + PATIENCE - this.#now(), refresh.done);
    }
    if (this.#revoked.has(keyId)) return 'revoked';
    return this.#now() - this.#readAt <= TOO_OLD ? 'valid' : 'unknown';
  }

  /** A refresh whose request was cancelled never settles; after the call's limit another takes its place. */
  #underWay(): Refresh | undefined {
    const isLate = this.#refresh !== undefined && this.#now() - this.#refresh.startedAt > CALL_LIMIT;
    return isLate ? undefined : this.#refresh;
  }

  #start(waitUntil: (promise: Promise<unknown>) => void): Refresh {
    const refresh = { startedAt: this.#now(), done: this.#read() };
    this.#refresh = refresh;
    waitUntil(
      refresh.done.finally(() => {
        if (this.#refresh === refresh) this.#refresh = undefined;
      }),
    );
    return refresh;
  }

  async #read(): Promise<void> {
    const startedAt = this.#now();
    try {
      const fetchOptions = { signal: AbortSignal.timeout(CALL_LIMIT) };
      const rows = await this.#sql.query('SELECT revoked_keys AS id FROM audit.revoked_keys()', [], {
        fetchOptions,
      });
      this.#revoked = new Set(rows.map((row) => String(row['id'])));
      this.#readAt = startedAt;
    } catch (error) {
      this.#failedAt = this.#now();
      if (this.#failedAt - startedAt >= PATIENCE) this.#hungAt = this.#failedAt;
      console.warn(
        JSON.stringify({
          event: 'revocation_list_failed',
          error: error instanceof Error ? error.name : 'unknown',
        }),
      );
    }
  }
}
