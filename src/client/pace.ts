/** ms before trying again: doubling from the first to the longest, with jitter. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
/** ms; even where Daybook asks for more. */
const LONGEST_WAIT = 300_000;

/** Since when nothing went well, and until when nothing is tried: times are of `performance.now()`. */
export interface Pause {
  failures: number;
  until: number;
  /** as Daybook said */
  retryAt: number;
}

export const NO_PAUSE: Pause = { failures: 0, until: 0, retryAt: 0 };

/** @returns ms to wait after so many failures before */
export function backoff(failures: number): number {
  return Math.round(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures) * (0.5 + Math.random() / 2));
}

/** The pause after one more failure. @param retryAfter ms, where it was said; not all clients come at once then */
export function longer({ failures }: Pause, retryAfter = 0): Pause {
  const now = performance.now();
  const retryAt = retryAfter && now + Math.min(LONGEST_WAIT, retryAfter) + backoff(0);
  return { failures: failures + 1, until: Math.max(retryAt, now + backoff(failures)), retryAt };
}
