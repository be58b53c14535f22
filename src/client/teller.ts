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

/** Tells the first of each kind of trouble in a minute, with the counts, as text: pino drops what comes after a message. */
export function teller(logger: Logger, counts: Counts): Tell {
  const told = new Map<string, number>();
  return function tell(what, why, detail = '') {
    const kind = `${what} (${why})`;
    // Why an event is kept may be another thing each time.
    const key = what === 'kept' ? what : kind;
    const now = performance.now();
    if (now < (told.get(key) ?? 0)) return;
    told.set(key, now + LOG_EACH);
    try {
      logger[what === 'kept' ? 'warn' : 'error'](
        `daybook: an event is ${kind}${detail} ${JSON.stringify(counts)}`,
      );
    } catch {
      // A logger that fails must not end what it logs about.
    }
  };
}
