import { append, appendEach, type NotStored, type NotStoredAlone } from '../db/append.ts';
import type { Outcome } from '../db/call.ts';
import type { Sql } from '../db/client.ts';
import { bury, type Letter } from '../db/dead-letters.ts';
import type { Breaker } from './breaker.ts';

/** The database as ingest needs it: each call tells the breaker whether it answered. */
export interface Database {
  breaker: Breaker;
  append(rows: readonly string[], atomic: boolean): Promise<Outcome<NotStored[]>>;
  appendEach(rows: readonly string[]): Promise<Outcome<NotStoredAlone[]>>;
  bury(letters: readonly Letter[]): Promise<Outcome<number>>;
}

/** ms; a call that takes longer has failed. Less than what a leader of the writer may take. */
export const CALL_LIMIT = 7000;

export function databaseOf(sql: Sql, breaker: Breaker): Database {
  const limit = () => AbortSignal.timeout(CALL_LIMIT);
  return telling(breaker, {
    append: (rows, atomic) => append(sql, rows, { atomic, signal: limit() }),
    appendEach: (rows) => appendEach(sql, rows, limit()),
    bury: (letters) => bury(sql, letters, limit()),
  });
}

/** The same calls, of which the breaker learns. */
export function telling(breaker: Breaker, calls: Omit<Database, 'breaker'>): Database {
  function told<T>(calling: Promise<Outcome<T>>): Promise<Outcome<T>> {
    return breaker.watch(calling, (outcome) => !outcome.ok && outcome.failure.kind === 'unavailable');
  }
  return {
    breaker,
    append: (rows, atomic) => told(calls.append(rows, atomic)),
    appendEach: (rows) => told(calls.appendEach(rows)),
    bury: (letters) => told(calls.bury(letters)),
  };
}
