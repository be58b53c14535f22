import type { RateLimit } from '../env.ts';
import { within } from '../http/within.ts';

/**
 * Requests of a key that one call of the platform's limiter stands for: a call for each would cost more than the rest of a
 * request (docs/performance.md). wrangler.toml counts in these.
 */
const REQUESTS_A_PERMIT = 50;
/** ms; no longer than the limiter's period, in which the permit was counted. */
const PERMIT_LIFE = 10_000;
/** ms for which a key that was refused is refused again without asking. */
const REFUSAL_LIFE = 1000;
/** ms; a limiter that takes longer is broken. */
const PATIENCE = 250;
/** Keys that an isolate knows about; the oldest is forgotten first. */
const KEYS_MAX = 1000;

interface Permit {
  /** requests that may still pass on it */
  left: number;
  /** ms since 1970 */
  until: number;
  refusedUntil: number;
}

/**
 * The rate limit of each key. The platform counts per location and approximately; this isolate takes permits of 50 requests
 * each from it. A broken limiter refuses nobody: events must not be lost to it.
 */
export class RateLimiter {
  readonly #limiter: RateLimit;
  readonly #now: () => number;
  readonly #permits = new Map<string, Permit>();

  constructor(limiter: RateLimit, now: () => number = Date.now) {
    this.#limiter = limiter;
    this.#now = now;
  }

  /** Counts a request. @returns whether it may pass */
  async admits(keyId: string): Promise<boolean> {
    const now = this.#now();
    const permit = this.#permits.get(keyId) ?? this.#open(keyId);
    if (now < permit.refusedUntil) return false;
    if (permit.left > 0 && now < permit.until) {
      permit.left -= 1;
      return true;
    }
    // Requests that come before the answer pass on the permit asked for, but after a refusal they wait for it outside.
    if (permit.refusedUntil > 0) permit.refusedUntil = now + REFUSAL_LIFE;
    else grant(permit, now);
    if (await this.#ask(keyId)) {
      if (permit.refusedUntil > 0) grant(permit, now);
      return true;
    }
    permit.left = 0;
    permit.refusedUntil = this.#now() + REFUSAL_LIFE;
    return false;
  }

  async #ask(keyId: string): Promise<boolean> {
    try {
      const answer = await within(PATIENCE, this.#limiter.limit({ key: keyId }));
      if (answer !== undefined) return answer.success;
      warn('timeout');
    } catch (error) {
      warn(error instanceof Error ? error.name : 'unknown');
    }
    return true;
  }

  #open(keyId: string): Permit {
    if (this.#permits.size >= KEYS_MAX) {
      const [oldest] = this.#permits.keys();
      if (oldest !== undefined) this.#permits.delete(oldest);
    }
    const permit: Permit = { left: 0, until: 0, refusedUntil: 0 };
    this.#permits.set(keyId, permit);
    return permit;
  }
}

/** The first request of a permit is the one that asked for it. */
function grant(permit: Permit, now: number): void {
  permit.left = REQUESTS_A_PERMIT - 1;
  permit.until = now + PERMIT_LIFE;
  permit.refusedUntil = 0;
}

function warn(error: string): void {
  console.warn(JSON.stringify({ event: 'rate_limiter_failed', error }));
}
