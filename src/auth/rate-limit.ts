import type { RateLimit } from '../env.ts';
import { within } from '../http/within.ts';

/** Requests of a key that are counted one by one in each window of an isolate; those after them go in lots of as many. */
const LOT = 50;
/** ms; the limiters' period. */
const WINDOW = 10_000;
/** ms for which a key that was refused is refused again without asking. */
const REFUSAL_LIFE = 1000;
/** ms; a limiter that takes longer is broken. */
const PATIENCE = 250;
/** Keys that an isolate knows about; the oldest is forgotten first. */
const KEYS_MAX = 1000;

/** What an isolate knows of a key. */
interface Count {
  /** ms since 1970 */
  startedAt: number;
  /** requests that passed one by one in this window */
  singles: number;
  /** requests that may still pass on a lot */
  left: number;
  refusedUntil: number;
}

/**
 * The rate limit of each key, which the platform counts per location and approximately. Each of the first requests is
 * counted by itself, so that a low limit is kept to; a busy key's in lots, for a call of the limiter for each would cost
 * more than the rest of a request (docs/performance.md). A broken limiter refuses nobody: events must not be lost to it.
 */
export class RateLimiter {
  readonly #singles: RateLimit;
  readonly #lots: RateLimit;
  readonly #now: () => number;
  readonly #counts = new Map<string, Count>();

  /**
   * @param singles counts requests
   * @param lots counts lots of 50 requests
   */
  constructor(singles: RateLimit, lots: RateLimit, now: () => number = Date.now) {
    this.#singles = singles;
    this.#lots = lots;
    this.#now = now;
  }

  /** Counts a request. @returns whether it may pass */
  async admits(keyId: string): Promise<boolean> {
    const count = this.#countOf(keyId);
    const now = this.#now();
    if (now < count.refusedUntil) return false;
    if (now >= count.startedAt + WINDOW) Object.assign(count, { startedAt: now, singles: 0, left: 0 });
    if (count.singles < LOT) {
      count.singles += 1;
      if (await ask(this.#singles, keyId)) return true;
      count.singles -= 1;
    } else {
      count.left -= 1;
      if (count.left >= 0) return true;
      // Those that come before the answer pass on the lot asked for.
      count.left = LOT - 1;
      if (await ask(this.#lots, keyId)) return true;
      count.left = 0;
    }
    count.refusedUntil = this.#now() + REFUSAL_LIFE;
    return false;
  }

  #countOf(keyId: string): Count {
    const known = this.#counts.get(keyId);
    if (known !== undefined) return known;
    if (this.#counts.size >= KEYS_MAX) {
      const [oldest] = this.#counts.keys();
      if (oldest !== undefined) this.#counts.delete(oldest);
    }
    const count: Count = { startedAt: this.#now(), singles: 0, left: 0, refusedUntil: 0 };
    this.#counts.set(keyId, count);
    return count;
  }
}

async function ask(limiter: RateLimit, keyId: string): Promise<boolean> {
  try {
    const answer = await within(PATIENCE, limiter.limit({ key: keyId }));
    if (answer !== undefined) return answer.success;
    warn('timeout');
  } catch (error) {
    warn(error instanceof Error ? error.name : 'unknown');
  }
  return true;
}

function warn(error: string): void {
  console.warn(JSON.stringify({ event: 'rate_limiter_failed', error }));
}
