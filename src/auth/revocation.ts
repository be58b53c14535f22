import type { Sql } from '../db/client.ts';
import { Renewed } from '../http/renewed.ts';

/** ms; without a list younger than this, reading and administration stop. */
const TOO_OLD = 300_000;

export type RevocationState = 'revoked' | 'valid' | 'unknown';

/**
 * Ids of revoked keys, as this isolate last read them: a revoked key stops working within a minute. Writes go on with the
 * last known list when the database fails (`unknown` is good enough for them); reads and administration need one of the last
 * five minutes.
 */
export class RevocationList {
  readonly #revoked: Renewed<ReadonlySet<string>>;

  constructor(sql: Sql, now: () => number = Date.now) {
    const read = async (signal: AbortSignal) => {
      const query = 'SELECT revoked_keys AS id FROM audit.revoked_keys()';
      const rows = await sql.query(query, [], { fetchOptions: { signal } });
      return new Set(rows.map((row) => String(row['id'])));
    };
    this.#revoked = new Renewed(read, warn, now);
  }

  /** ms since 1970: when the database last gave the list, or failed to. API keys were in use then. */
  get askedAt(): number {
    return this.#revoked.askedAt;
  }

  /**
   * @param waitUntil keeps a refresh alive after its request was answered
   * @returns `unknown` when the list is too old to say that a key is valid
   */
  async check(keyId: string, waitUntil: (promise: Promise<unknown>) => void): Promise<RevocationState> {
    await this.#revoked.renew(waitUntil);
    if (this.#revoked.value?.has(keyId) === true) return 'revoked';
    return this.#revoked.age <= TOO_OLD ? 'valid' : 'unknown';
  }
}

function warn(error: unknown): void {
  console.warn(
    JSON.stringify({
      event: 'revocation_list_failed',
      error: error instanceof Error ? error.name : 'unknown',
    }),
  );
}
