import { crossRequestPromise, within } from '../http/within.ts';

interface Renewal {
  startedAt: number;
  done: PromiseWithResolvers<void>;
}

/** An answer that all requests of this isolate share. One of them at a time renews it. */
export class Kept<T> {
  readonly #ask: () => Promise<T>;
  readonly #limit: number;
  #answer: { value: T; at: number } | undefined;
  #renewal: Renewal | undefined;

  /**
   * @param ask settles within the limit and never rejects: a failure is an answer too
   * @param limit ms
   */
  constructor(ask: () => Promise<T>, limit: number) {
    this.#ask = ask;
    this.#limit = limit;
  }

  /**
   * @param maxAge ms; an older answer is renewed first
   * @param waitUntil keeps the renewal alive when its request goes away
   * @returns `undefined` when there is no answer within the limit
   */
  async get(maxAge: number, waitUntil: (promise: Promise<unknown>) => void): Promise<T | undefined> {
    const now = Date.now();
    if (this.#answer !== undefined && now - this.#answer.at < maxAge) return this.#answer.value;

    const other = this.#underWay();
    if (other === undefined) {
      const renewed = this.#renew(now);
      waitUntil(renewed);
      return within(this.#limit, renewed);
    }
    await within(other.startedAt + this.#limit - now, other.done.promise);
    return this.#answer !== undefined && this.#answer.at >= other.startedAt ? this.#answer.value : undefined;
  }

  /** A renewal whose request was cancelled never ends; after its limit another takes its place. */
  #underWay(): Renewal | undefined {
    const isLate = this.#renewal !== undefined && Date.now() - this.#renewal.startedAt >= this.#limit;
    return isLate ? undefined : this.#renewal;
  }

  async #renew(startedAt: number): Promise<T> {
    const renewal = { startedAt, done: crossRequestPromise() };
    this.#renewal = renewal;
    try {
      const value = await this.#ask();
      // One that was overtaken may have the older answer.
      if (this.#renewal === renewal) this.#answer = { value, at: Date.now() };
      return value;
    } finally {
      if (this.#renewal === renewal) this.#renewal = undefined;
      renewal.done.resolve();
    }
  }
}
