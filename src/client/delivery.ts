import type { Buffer, Lane, Size, Waiting } from './buffer.ts';
import { nextBatch } from './next-batch.ts';
import { backoff, longer, NO_PAUSE } from './pace.ts';
import { nameOf, prepare, type Redact } from './prepare.ts';
import type { BatchOutcome, Transport } from './transport.ts';

export interface DeliveryOptions {
  transport: Transport;
  redact: Redact;
  /** what a batch carries at most */
  batch: Size;
  /** ms that a batch may take */
  timeout: number;
  /** of the logger and of all its requests */
  buffer: Buffer;
}

type NotRefused = Exclude<BatchOutcome, { kind: 'refused' }>;

/** So often, something may answer a batch with a failure before it is halved. */
const PATIENCE = 3;
/** So often in a row, halving may fail: what is halved nine times stands alone. More often, it is not for what an event holds. */
const MOST_HALVINGS = 16;
/** ms; a timer that is so late never comes: its request is over. */
const OVERDUE = 1000;

/** When it sends next, and since when that can be no more. */
interface Timer {
  handle?: ReturnType<typeof setTimeout>;
  at: number;
  deadAt: number;
}

/** Carries events in batches, one at a time, until Daybook has them. */
export class Delivery implements Lane {
  readonly waiting = new Set<Waiting>();
  readonly #options: DeliveryOptions;
  readonly #buffer: Buffer;
  /** what others found out before it had anything to send, and itself since */
  #pause = NO_PAUSE;
  /** failures in a row that may be for what an event holds */
  #suspicions = 0;
  #timer: Timer = { at: Infinity, deadAt: Infinity };

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#buffer = options.buffer;
  }

  /** Takes an event in. @param at when it is sent, of `performance.now()`; sooner where they fill a batch */
  add(event: Waiting, at: number): void {
    const { events, characters } = this.#options.batch;
    if (this.waiting.size === 0) this.#pause = this.#buffer.pause;
    this.#buffer.add(event);
    const isFull = this.waiting.size >= events || this.#buffer.characters >= characters;
    this.#schedule(isFull ? 0 : at);
  }

  hurry(until: number): void {
    const { retryAt } = this.#pause;
    this.#pause = { failures: 0, until: retryAt < until ? retryAt : 0, retryAt };
    this.#schedule(0);
  }

  /** At a time or as soon as that may be, but never in the caller's own turn. */
  #schedule(time: number): void {
    const now = performance.now();
    const at = Math.max(time, now, this.#pause.until);
    if (at >= this.#timer.at && now < this.#timer.deadAt) return;
    clearTimeout(this.#timer.handle);
    const handle = setTimeout(() => void this.#sendAll(), at - now);
    // It keeps no process alive, where the runtime can tell.
    (handle as { unref?(): void }).unref?.();
    this.#timer = { handle, at, deadAt: at + OVERDUE };
  }

  /** The next batch, if it is time for one. */
  #take(): Waiting[] {
    if (this.#pause.until > performance.now()) return [];
    const { events, characters } = this.#options.batch;
    // While nothing goes through, it need not be tried with many.
    const batch = nextBatch(this.waiting, this.#suspicions < MOST_HALVINGS ? events : 1, characters);
    for (const event of batch) event.isUnderWay = true;
    return batch;
  }

  async #sendAll(): Promise<void> {
    const timer: Timer = { at: -Infinity, deadAt: Infinity };
    this.#timer = timer;
    for (let batch = this.#take(); batch[0]; batch = this.#take()) {
      try {
        await this.#send(
          batch.filter((event) => !this.#buffer.settle(event, prepare(event, this.#options.redact))),
        );
      } catch (error) {
        // A transport of the application's own may give anything.
        this.#settleAll(batch, batch[0], { kind: 'later', reason: nameOf(error) });
      }
      this.#buffer.look();
      // It took too long, and another began.
      if (this.#timer !== timer) return;
    }
    this.#timer = { at: Infinity, deadAt: Infinity };
    let next = Infinity;
    for (const { notBefore } of this.waiting) next = Math.min(next, notBefore);
    this.#schedule(next);
  }

  /** @param isPart of a batch that failed */
  async #send(batch: readonly Waiting[], isPart = false): Promise<void> {
    const [first] = batch;
    if (!first) return;
    const outcome = await this.#carry(batch);
    const isRefused = outcome.kind === 'refused';
    const isForContent = isRefused || this.#isForContent(outcome, first, isPart);
    if (isForContent && batch.length > 1) {
      // What of it cannot be taken stands alone in the end.
      const middle = batch.length >> 1;
      await this.#send(batch.slice(0, middle), true);
      await this.#send(batch.slice(middle), true);
    } else if (isRefused) {
      this.#buffer.settle(first, { ...outcome, result: 'refused' });
    } else {
      if (isForContent) {
        first.isAlone = true;
        this.#buffer.dropAlone();
      }
      this.#settleAll(batch, first, outcome);
    }
  }

  /** Whether a failure may well be for what one of the events holds. */
  #isForContent(outcome: NotRefused, { isAlone }: Waiting, isPart: boolean): boolean {
    if (outcome.kind === 'answered' || !outcome.isSuspect || isAlone) return false;
    this.#suspicions += 1;
    const isTime = isPart || outcome.isBlocked || this.#suspicions >= PATIENCE;
    return isTime && this.#suspicions < MOST_HALVINGS;
  }

  async #carry(batch: readonly Waiting[]): Promise<BatchOutcome> {
    // Its request may be over before it is answered.
    this.#timer.deadAt = performance.now() + this.#options.timeout + OVERDUE;
    try {
      return await this.#options.transport.send(batch.map(({ json }) => json));
    } catch (error) {
      const reason = nameOf(error);
      return { kind: 'later', reason, isSuspect: reason === 'TimeoutError' };
    }
  }

  #settleAll(batch: readonly Waiting[], first: Waiting, outcome: NotRefused): void {
    const isAnswered = outcome.kind === 'answered';
    const outcomes = isAnswered ? outcome.outcomes : [];
    const later = batch.filter((event, index) => !this.#buffer.settle(event, outcomes[index]));
    if (isAnswered) {
      this.#suspicions = 0;
      this.#pause = this.#buffer.pause = NO_PAUSE;
    }
    const [oldest] = later;
    if (!oldest) return;
    // What holds up others goes behind them, all of it together; what nobody takes stays where it is.
    const goesBehind = isAnswered || (outcome.isSuspect && batch.length === 1);
    const notBefore = performance.now() + backoff(oldest.tries);
    for (const event of later) {
      event.isUnderWay = false;
      event.tries += 1;
      if (!this.waiting.has(event)) this.#buffer.drop(event, 'out of time');
      else if (goesBehind) {
        event.notBefore = notBefore;
        this.waiting.delete(event);
        this.waiting.add(event);
      }
    }
    const one = isAnswered ? outcomes.find((each) => each.result === 'later') : outcome;
    this.#buffer.tell('kept', one?.reason);
    // What stands alone waits for its own time; for what is not its own doing, all wait.
    if (isAnswered ? !outcome.retryAfter : first.isAlone && outcome.isSuspect) return;
    this.#pause = longer(this.#pause, outcome.retryAfter);
    if (this.#pause.until > this.#buffer.pause.until) this.#buffer.pause = this.#pause;
  }
}
