/** ms before trying again: doubling from the first to the longest, with jitter. */
export const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

/** So often, something may answer a batch with a failure before it is halved. */
const PATIENCE = 3;

/** @returns ms to wait after so many failures before */
export function backoff(failures: number): number {
  return Math.round(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures) * (0.5 + Math.random() / 2));
}

/**
 * How much is sent at once, and how soon again. What fails again and again is halved, down to the event that it fails for;
 * batches grow again where two in a row went through: then it was none of these.
 */
export class Pace {
  readonly #most: number;
  /** since something went well */
  failures = 0;
  /** since batches had their full size */
  #suspicions = 0;
  /** how many events go at once */
  limit: number;

  constructor(most: number) {
    this.#most = most;
    this.limit = most;
  }

  succeeded(): void {
    if (this.failures === 0) this.limit = Math.min(this.#most, this.limit * 2);
    if (this.limit === this.#most) this.#suspicions = 0;
    this.failures = 0;
  }

  /** Halves a batch that may fail for what is in it. @returns whether there is nothing left to halve */
  suspect(length: number): boolean {
    this.#suspicions += 1;
    if (this.#suspicions < PATIENCE) return false;
    this.limit = Math.ceil(length / 2);
    // Soon: all others wait until it is found.
    if (length > 1) this.failures = 0;
    return length === 1;
  }
}
