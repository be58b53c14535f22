import type { Sql } from './client.ts';
import { toFailure, type DatabaseFailure } from './failure.ts';

/** An event that `audit.append` did not store, because its workspace has one with this id. */
export interface NotStored {
  /** place in the batch, from 0 */
  index: number;
  result: 'duplicate' | 'conflict';
  /** of the stored event, lower-case hex */
  leaf_hash: string;
}

/** The text from which `audit.rows_of` reads rows. */
export function joinRows(rows: readonly string[]): string {
  return rows.join('\n"\n');
}

export type AppendOutcome = { ok: true; notStored: NotStored[] } | { ok: false; failure: DatabaseFailure };

/**
 * Stores a batch in one call, each event at most once.
 * @param rows literals of `audit.incoming_event`, as `rowOf` writes them
 * @param options.atomic all or nothing: a conflict is a `refused` failure (23505) whose detail is the `NotStored[]` as JSON
 */
export async function append(
  sql: Sql,
  rows: readonly string[],
  options: { atomic: boolean; signal: AbortSignal },
): Promise<AppendOutcome> {
  try {
    const answer = await sql.query(
      'SELECT audit.append_rows(audit.rows_of($1), $2) AS not_stored',
      [joinRows(rows), options.atomic],
      { fetchOptions: { signal: options.signal } },
    );
    return { ok: true, notStored: (answer[0] as { not_stored: NotStored[] }).not_stored };
  } catch (error) {
    return { ok: false, failure: toFailure(error) };
  }
}
