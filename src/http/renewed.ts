import { within } from './within.ts';

const SECOND = 1000;
/** What is older is waited for. */
export const FRESH = 60 * SECOND;
/** From this age on it is renewed while requests go on with the old one. */
const AGEING = 30 * SECOND;
/** How long a request waits before it goes on with the last known one. */
const PATIENCE = 500;
/** After a failure the source is left alone for this long. */
const BACK_OFF = 5 * SECOND;
/** A reading that takes longer has failed. */
export const READING_LIMIT = 5 * SECOND;
/** So long after a reading that hung nobody waits for another: until the next has ended too. */
const HUNG = BACK_OFF + 2 * READING_LIMIT;

interface Reading {
  startedAt: number;
  done: Promise<void>;
}

/**
 * What all requests of an isolate know of the database: read when it is first needed, renewed within a minute while it is
 * used, and kept when the database fails.
 */
export class Renewed<T> {
  /** nothing before the first reading */
  value: T | undefined;
  #readAt = -Infinity;
  #failedAt = -Infinity;
  #hungAt = -Infinity;
  #underWay: Reading | undefined;
  readonly #read: (signal: AbortSignal) => Promise<T>;
  readonly #onFailure: (error: unknown) => void;
  readonly #now: () => number;

  /**
   * @param read settles within `READING_LIMIT` when it heeds the signal
   * @param onFailure told of what `read` throws
   */
  constructor(
    read: (signal: AbortSignal) => Promise<T>,
    onFailure: (error: unknown) => void,
    now: () => number = Date.now,
  ) {
    this.#read = read;
    this.#onFailure = onFailure;
    this.#now = now;
  }

  /** ms since 1970: when the value was last read, or could not be. */
  get askedAt(): number {
    return Math.max(this.#readAt, this.#failedAt);
  }

  /** ms since the reading that gave the value began */
  get age(): number {
    return this.#now() - this.#readAt;
  }

  /**
   * Sees to it that the value is as fresh as it can be had within half a second.
   * @param waitUntil keeps a reading alive after its request was answered
   * @param oldest ms; what is older is waited for, where that is to be less than a minute
   */
  async renew(waitUntil: (promise: Promise<unknown>) => void, oldest = FRESH): Promise<void> {
    const { age } = this;
    const now = this.#now();
    if (age <= Math.min(AGEING, oldest) || now - this.#failedAt <= BACK_OFF) return;
    const reading = this.#current() ?? this.#start(waitUntil);
    // Only the first requests wait for a database that hangs: not those of each later attempt.
    const isWorthIt = age > oldest && now - this.#hungAt > HUNG;
    if (isWorthIt) await within(reading.startedAt + PATIENCE - now, reading.done);
  }

  /** Something is known to have changed: the next request waits for a new reading. */
  expire(): void {
    this.#readAt = -Infinity;
    this.#failedAt = -Infinity;
    this.#hungAt = -Infinity;
    this.#underWay = undefined;
  }

  /** One whose request was cancelled never settles; after its limit another takes its place. */
  #current(): Reading | undefined {
    const isLate = this.#underWay !== undefined && this.#now() - this.#underWay.startedAt > READING_LIMIT;
    return isLate ? undefined : this.#underWay;
  }

  #start(waitUntil: (promise: Promise<unknown>) => void): Reading {
    const reading: Reading = { startedAt: this.#now(), done: Promise.resolve() };
    this.#underWay = reading;
    reading.done = this.#finish(reading);
    waitUntil(reading.done);
    return reading;
  }

  async #finish(reading: Reading): Promise<void> {
    try {
      const value = await this.#read(AbortSignal.timeout(READING_LIMIT));
      // One that was overtaken may have the older value.
      if (this.#underWay !== reading) return;
      this.value = value;
      this.#readAt = reading.startedAt;
    } catch (error) {
      this.#onFailure(error);
      // What became of one that was overtaken says nothing about the next.
      if (this.#underWay !== reading) return;
      this.#failedAt = this.#now();
      if (this.#failedAt - reading.startedAt >= PATIENCE) this.#hungAt = this.#failedAt;
    } finally {
      if (this.#underWay === reading) this.#underWay = undefined;
    }
  }
}
