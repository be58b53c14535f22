import type { Letter } from '../db/dead-letters.ts';
import type { Database } from './database.ts';
import { storeRows, type RowOutcome } from './store.ts';

/** A row that will not be stored, and why. */
interface Lost {
  row: string;
  /** for the log: an id is no personal data */
  id: string | undefined;
  outcome: Extract<RowOutcome, { result: 'refused' | 'conflict' }>;
}

/**
 * Stores rows that were acknowledged. What will never be stored is kept as a dead letter.
 * @param ids of the events, where they are known
 * @param onProgress called before each call
 * @returns an outcome for each row; `unburied` where it will not be stored and is not kept either
 */
export async function storeOrBury(
  rows: readonly string[],
  ids: readonly string[],
  database: Database,
  onProgress: () => void,
): Promise<RowOutcome[]> {
  const outcomes = await storeRows(rows, database, onProgress);
  const lost = lostAmong(rows, ids, outcomes);
  onProgress();
  if (await buryRows(lost, database)) return outcomes;
  const open = new Set<RowOutcome>(lost.map(({ outcome }) => outcome));
  return outcomes.map((outcome) => (open.has(outcome) ? { result: 'unburied' } : outcome));
}

/** What of the rows will not be stored. @param ids of their events, where they are known */
export function lostAmong(
  rows: readonly string[],
  ids: readonly string[],
  outcomes: readonly RowOutcome[],
): Lost[] {
  return rows.flatMap((row, place) => {
    const outcome = outcomes[place];
    const isLost = outcome?.result === 'refused' || outcome?.result === 'conflict';
    return isLost ? [{ row, id: ids[place], outcome }] : [];
  });
}

/** Keeps what will not be stored, and tells the operator. @returns false when the database could not keep it */
export async function buryRows(lost: readonly Lost[], database: Database): Promise<boolean> {
  if (lost.length === 0) return true;
  const ids = lost.flatMap(({ id }) => id ?? []);
  return buryLetters(lost.map(letterOf), ids, database);
}

/** The same for letters. @param ids of the events, where they are known */
export async function buryLetters(
  letters: readonly Letter[],
  ids: readonly string[],
  database: Database,
): Promise<boolean> {
  const areKept = await keep(letters, database);
  const [first] = letters;
  console.error(
    JSON.stringify({
      event: areKept ? 'dead_letters' : 'dead_letters_not_kept',
      reason: first?.reason,
      sqlstate: first?.sqlstate,
      count: letters.length,
      ids: ids.slice(0, 20),
    }),
  );
  return areKept;
}

async function keep(letters: readonly Letter[], database: Database): Promise<boolean> {
  const outcome = await database.bury(letters);
  if (outcome.ok || outcome.failure.kind === 'unavailable' || letters.length === 1) return outcome.ok;
  // Together they may be more than a call takes.
  const middle = letters.length >> 1;
  const first = await keep(letters.slice(0, middle), database);
  return (await keep(letters.slice(middle), database)) && first;
}

function letterOf({ row, outcome }: Lost): Letter {
  const content = { literal: row };
  if (outcome.result === 'conflict') {
    const detail =
      'Another event with this id was stored before, and stays as it is. This one had been acknowledged by then.';
    return { reason: 'conflict', detail, content };
  }
  const { sqlstate, detail } = outcome;
  return { reason: 'refused', sqlstate, detail: `The database refuses the event. ${detail}`, content };
}
