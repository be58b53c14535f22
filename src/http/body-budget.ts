const MIB = 1024 * 1024;

/**
 * Bytes of bodies that this isolate, which has 128 MB, receives and keeps until their requests are answered. Reading one
 * takes up to 50 MB more (docs/performance.md), one at a time, and the writer holds 12 MiB of events, some in copies.
 */
const TOTAL = 24 * MIB;
/** Of one key, so that others have room whatever it sends. */
const PER_KEY = TOTAL / 2;
/** ms: 30 s to arrive, 10 s for the commit, and some. The request of an older one was cancelled, which runs no `finally`. */
const LIFETIME = 45_000;

interface Reservation {
  readonly key: string;
  readonly bytes: number;
  /** ms since 1970 */
  readonly until: number;
}

export interface BodyBudgetOptions {
  total?: number;
  perKey?: number;
  lifetime?: number;
  now?: () => number;
}

/** How much memory bodies may take in this isolate, of all keys and of each. */
export class BodyBudget {
  readonly #options: Required<BodyBudgetOptions>;
  /** oldest first */
  readonly #reservations = new Set<Reservation>();
  readonly #byKey = new Map<string, number>();
  #bytes = 0;

  constructor(options: BodyBudgetOptions = {}) {
    this.#options = { total: TOTAL, perKey: PER_KEY, lifetime: LIFETIME, now: Date.now, ...options };
  }

  /** @returns what gives the bytes back, once, however often it is called; nothing when there is no room */
  reserve(key: string, bytes: number): (() => void) | undefined {
    if (!this.#hasRoom(key, bytes)) {
      this.#forgetDead();
      if (!this.#hasRoom(key, bytes)) return undefined;
    }
    const reservation: Reservation = { key, bytes, until: this.#options.now() + this.#options.lifetime };
    this.#reservations.add(reservation);
    this.#add(key, bytes);
    return () => this.#release(reservation);
  }

  #hasRoom(key: string, bytes: number): boolean {
    const { total, perKey } = this.#options;
    return this.#bytes + bytes <= total && (this.#byKey.get(key) ?? 0) + bytes <= perKey;
  }

  #release(reservation: Reservation): void {
    if (this.#reservations.delete(reservation)) this.#add(reservation.key, -reservation.bytes);
  }

  #forgetDead(): void {
    const now = this.#options.now();
    for (const reservation of this.#reservations) {
      if (now < reservation.until) return;
      this.#release(reservation);
    }
  }

  #add(key: string, bytes: number): void {
    this.#bytes += bytes;
    const ofKey = (this.#byKey.get(key) ?? 0) + bytes;
    if (ofKey > 0) this.#byKey.set(key, ofKey);
    else this.#byKey.delete(key);
  }
}
