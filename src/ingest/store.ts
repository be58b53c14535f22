import type { NotStored, NotStoredAlone } from '../db/append.ts';
import type { DatabaseFailure } from '../db/failure.ts';
import type { Database } from './database.ts';

/** What became of one row. */
export type RowOutcome =
  | { result: 'committed' }
  | { result: 'duplicate'; leafHash: string }
  | { result: 'conflict'; leafHash: string }
  /** the database will never store it */
  | { result: 'refused'; sqlstate: string; constraint: string | null; detail: string }
  /** not stored: its month or day has no partition yet */
  | { result: 'no_partition' }
  /** refused or in conflict, and the database failed to keep it as a dead letter */
  | { result: 'unburied' }
  /** not known to be stored; sending it again is safe */
  | { result: 'unavailable' };

/**
 * Stores rows in one call, and where the database refuses some of them, isolates those: their neighbours are stored.
 * @param onProgress called before each call
 * @returns an outcome for each row, in order
 */
export async function storeRows(
  rows: readonly string[],
  database: Database,
  onProgress: () => void,
): Promise<RowOutcome[]> {
  onProgress();
  const outcome = await database.append(rows, false);
  if (outcome.ok) return outcomesOf(rows, outcome.value);
  if (outcome.failure.kind === 'unavailable') return unavailable(rows);
  return storeEach(rows, database, onProgress);
}

/** In one call too. Should that be refused as a whole, in halves: a refused row then stands alone in the end. */
async function storeEach(
  rows: readonly string[],
  database: Database,
  onProgress: () => void,
): Promise<RowOutcome[]> {
  onProgress();
  const outcome = await database.appendEach(rows);
  if (outcome.ok) return outcomesOf(rows, outcome.value);
  if (outcome.failure.kind === 'unavailable') return unavailable(rows);
  if (rows.length === 1) return [alone(outcome.failure)];
  const middle = rows.length >> 1;
  return [
    ...(await storeEach(rows.slice(0, middle), database, onProgress)),
    ...(await storeEach(rows.slice(middle), database, onProgress)),
  ];
}

/** What an answer of the database says of each row. */
export function outcomesOf(
  rows: readonly string[],
  notStored: readonly (NotStored | NotStoredAlone)[],
): RowOutcome[] {
  const outcomes = rows.map((): RowOutcome => ({ result: 'committed' }));
  for (const { index, ...entry } of notStored) {
    if (entry.result === 'no_partition' || entry.result === 'refused') outcomes[index] = entry;
    else outcomes[index] = { result: entry.result, leafHash: entry.leaf_hash };
  }
  return outcomes;
}

function unavailable(rows: readonly string[]): RowOutcome[] {
  return rows.map(() => ({ result: 'unavailable' }));
}

function alone(failure: Exclude<DatabaseFailure, { kind: 'unavailable' }>): RowOutcome {
  if (failure.kind === 'no_partition') return { result: 'no_partition' };
  const { sqlstate, constraint } = failure;
  return { result: 'refused', sqlstate, constraint, detail: 'The database does not take it.' };
}
