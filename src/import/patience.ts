import { setTimeout as pause } from 'node:timers/promises';
import { toFailure } from '../db/failure.ts';
import { ImportError } from './import-error.ts';

/** About a minute and a half in all. */
export const PAUSES_MS: readonly number[] = [100, 500, 1000, 3000, 5000, 10_000, 20_000, 20_000, 30_000];

export const AWAY =
  'The database does not take events now. Run the same command again later: nothing is stored twice.';

/** No answer, or that of a server which starts, stops or has no room. */
const PASSING = /^(08|53|57)/;

/**
 * Asks the database, and for a while again when it is away.
 * @throws ImportError when it stays away; the driver's error for anything else
 */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const wait of PAUSES_MS) {
    try {
      return await ask();
    } catch (error) {
      const { kind, sqlstate } = toFailure(error);
      if (kind !== 'unavailable' || (sqlstate !== null && !PASSING.test(sqlstate))) throw error;
      await pause(wait);
    }
  }
  throw new ImportError(AWAY);
}
