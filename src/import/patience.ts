import { setTimeout as pause } from 'node:timers/promises';
import { toFailure } from '../db/failure.ts';
import { ImportError } from './import-error.ts';

/** About a minute and a half in all. */
export const PAUSES_MS: readonly number[] = [100, 500, 1000, 3000, 5000, 10_000, 20_000, 20_000, 30_000];

export const AWAY =
  'The database does not take events now. Run the same command again later: nothing is stored twice.';

/** No answer, or that of a server which starts, stops or has no room. */
const PASSING = /^(08|53|57)/;

/** That the database refuses, and asking again is of no use. */
export function refusal(sqlstate: string | null, cause?: unknown): ImportError {
  const what = `The database refuses the call (SQLSTATE ${sqlstate ?? 'none'}).`;
  return new ImportError(
    `${what} Run "npm run doctor", then the same command again: nothing is stored twice.`,
    { cause },
  );
}

/**
 * Asks the database, and for a while again when it is away.
 * @param expected SQLSTATEs that the caller minds
 * @throws ImportError when it stays away or refuses; the driver's error for what is expected
 */
export async function patiently<T>(
  ask: () => Promise<T>,
  expected: ReadonlySet<string> = new Set(),
): Promise<T> {
  for (const wait of PAUSES_MS) {
    try {
      return await ask();
    } catch (error) {
      const { kind, sqlstate } = toFailure(error);
      if (sqlstate !== null && expected.has(sqlstate)) throw error;
      if (kind !== 'unavailable' || (sqlstate !== null && !PASSING.test(sqlstate)))
        throw refusal(sqlstate, error);
      await pause(wait);
    }
  }
  throw new ImportError(AWAY);
}
