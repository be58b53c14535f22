/** What a breaker does where nothing else is said; times in ms. */
export interface BreakerOptions {
  /** failures in a row that open it, or one call that hung so long */
  threshold?: number;
  hung?: number;
  /** a call that takes longer counts as held up */
  slow?: number;
  /** for how long it stays open at first, doubling up to `longest` each time a probe fails */
  first?: number;
  longest?: number;
  /** after this time a probe that has not reported is given up; more than a call may take */
  probeLimit?: number;
  now?(): number;
}

/** ms; most probes tell sooner. */
const PROBE_TAKES = 1000;
/** ms; what lies between two failures further apart is not known to have failed. */
const LOOKED = 120_000;

/**
 * Knows whether what stands behind a port fails, so that calls in vain are not made and requests are not let in to wait
 * for them. After some failures in a row it is open; when its time is over one call is let through, as a probe.
 */
export class Breaker {
  readonly #options: Required<BreakerOptions>;
  #failures = 0;
  /** how many times in a row it opened */
  #opened = 0;
  #failing: { since: number; until: number } | undefined;
  #isProbed = false;
  #probedAt = 0;
  #againAt = 0;
  #succeededAt = -Infinity;
  readonly #underWay = new Set<{ startedAt: number }>();

  constructor(options: BreakerOptions = {}) {
    this.#options = {
      threshold: 3,
      hung: 4000,
      slow: 1000,
      first: 200,
      longest: 1000,
      probeLimit: 10_000,
      now: Date.now,
      ...options,
    };
  }

  /** Nothing is known to be wrong. */
  get isClosed(): boolean {
    return this.#opened === 0;
  }

  /** ms from the first to the last of the failures seen since a call succeeded, or since nobody looked for long */
  get failingFor(): number {
    return this.#failing === undefined ? 0 : this.#failing.until - this.#failing.since;
  }

  /** A call is held up, and none has succeeded since it was made: others might be too. */
  get isSlow(): boolean {
    const { slow, probeLimit, now } = this.#options;
    return this.#underWay.values().some(({ startedAt }) => {
      const age = now() - startedAt;
      // What a cancelled request left behind never ends.
      return age >= slow && age < probeLimit && startedAt >= this.#succeededAt;
    });
  }

  /** ms until a call may be tried, or until a probe that is under way has told, unless it hangs; 0: a call may be tried now */
  get wait(): number {
    const wait = this.#wait();
    const since = this.#options.now() - this.#probedAt;
    return this.#isProbed && since < PROBE_TAKES ? Math.min(wait, PROBE_TAKES - since) : wait;
  }

  #wait(): number {
    return this.isClosed ? 0 : Math.max(0, this.#againAt - this.#options.now());
  }

  /** Whether a call may be made now. While the breaker is not closed, one caller is told so: the probe. */
  admits(): boolean {
    if (this.isClosed) return true;
    if (this.#wait() > 0) return false;
    this.#isProbed = true;
    this.#probedAt = this.#options.now();
    this.#againAt = this.#options.now() + this.#options.probeLimit;
    return true;
  }

  /** Learns from a call. @param hasFailed judges what it gives; one that rejects has failed */
  async watch<T>(calling: Promise<T>, hasFailed: (outcome: T) => boolean): Promise<T> {
    const call = { startedAt: this.#options.now() };
    this.#prune();
    this.#underWay.add(call);
    try {
      const outcome = await calling;
      if (hasFailed(outcome)) this.#failed(call.startedAt);
      else this.#succeeded();
      return outcome;
    } catch (error) {
      this.#failed(call.startedAt);
      throw error;
    } finally {
      this.#underWay.delete(call);
    }
  }

  #prune(): void {
    const oldest = this.#options.now() - this.#options.probeLimit;
    for (const call of this.#underWay) if (call.startedAt < oldest) this.#underWay.delete(call);
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#opened = 0;
    this.#isProbed = false;
    this.#failing = undefined;
    this.#succeededAt = this.#options.now();
  }

  #noteFailure(): void {
    const now = this.#options.now();
    const { since = now, until = -Infinity } = this.#failing ?? {};
    this.#failing = { since: now - until > LOOKED ? now : since, until: now };
  }

  #failed(startedAt: number): void {
    // A later one succeeded.
    if (startedAt < this.#succeededAt) return;
    this.#noteFailure();
    // A call that was made before the breaker opened, or before its probe was, says nothing new.
    if (!this.isClosed && (!this.#isProbed || startedAt < this.#probedAt)) return;
    this.#isProbed = false;
    this.#failures += 1;
    const { threshold, hung, first, longest, now } = this.#options;
    if (this.#failures < threshold && now() - startedAt < hung) return;
    const pause = Math.min(longest, first * 2 ** this.#opened);
    // With jitter, so that isolates do not probe together.
    this.#againAt = now() + pause * (0.5 + Math.random() / 2);
    this.#opened += 1;
  }
}
