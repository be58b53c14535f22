import type { Counts } from './buffer.ts';

/** What the client tells of its troubles, such as pino or the console. It is never told what an event holds. */
export interface Logger {
  warn(...args: unknown[]): void;
  error(...args: unknown[]): void;
}

/** @param detail what else is to be told of the first one */
export type Tell = (
  what: 'refused' | 'dropped' | 'kept' | 'incomplete',
  why: string | undefined,
  detail?: string,
) => void;

/** ms; at most one line in the log for each kind of trouble. */
const LOG_EACH = 60_000;
/** Kinds that are remembered: some are named by what stands between. */
const MOST_KINDS = 100;

/** Tells the first of each kind of trouble in a minute, and with the next one, how many went untold. */
export function teller(logger: Logger, counts: Counts): Tell {
  const told = new Map<string, { at: number; untold: number }>();
  return function tell(what, why, detail = '') {
    const kind = `${what} (${why})`;
    // Why an event is kept may be another thing each time.
    const key = what === 'kept' ? what : kind;
    const now = performance.now();
    const last = told.get(key);
    if (last && now - last.at < LOG_EACH) {
      last.untold += 1;
      return;
    }
    if (told.size >= MOST_KINDS) told.clear();
    told.set(key, { at: now, untold: 0 });
    const more = last?.untold ? `; ${last.untold} more before` : '';
    try {
      logger[what === 'kept' ? 'warn' : 'error'](`daybook: an event is ${kind}${detail}${more}`, {
        ...counts,
      });
    } catch {
      // A logger that fails must not end what it logs about.
    }
  };
}
