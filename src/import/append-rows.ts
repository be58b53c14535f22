import { append, appendEach, type NotStoredAlone } from '../db/append.ts';
import type { Outcome } from '../db/call.ts';
import type { Sql } from '../db/client.ts';

const CALL_MS = 120_000;

/** Stores rows in one call. @returns those that it did not store, and why */
export type AppendRows = (rows: readonly string[]) => Promise<Outcome<NotStoredAlone[]>>;

/** All in one; where the database refuses some, one by one. */
export function appendBy(sql: Sql): AppendRows {
  return async (rows) => {
    const outcome = await append(sql, rows, { atomic: false, signal: AbortSignal.timeout(CALL_MS) });
    if (outcome.ok || outcome.failure.kind === 'unavailable') return outcome;
    return appendEach(sql, rows, AbortSignal.timeout(CALL_MS));
  };
}
