import { isId, timeOf } from '../events/id.ts';
import { MAX_ID_AGE_MS } from '../events/limits.ts';
import { Buffer, type Size, type Waiting } from './buffer.ts';
import { newId } from './new-id.ts';
import type { BatchOutcome, EventOutcome, Transport } from './transport.ts';

/** What the client tells of its troubles, such as pino or the console. It is never told what an event holds. */
export interface Logger {
  warn(...args: unknown[]): void;
  error(...args: unknown[]): void;
}

export interface SenderOptions {
  transport: Transport;
  logger: Logger;
  /** applied to each event before it leaves the process */
  redact(event: Record<string, unknown>): Record<string, unknown>;
  /** what a batch carries at most */
  batch: Size;
  /** ms that an event waits for others */
  linger: number;
  /** what may wait */
  buffer: Size;
  /** which event goes when more would wait */
  drop: 'newest' | 'oldest';
}

/** What became of the events so far. */
export interface Counts {
  /** wait, or are under way */
  buffered: number;
  stored: number;
  /** by Daybook, for good; the logger was told why */
  refused: number;
  /** for want of room, or since the client was closed */
  dropped: number;
}

/** ms before trying again: doubling from the first to the last, with jitter; no longer where Daybook says so than `most`. */
const BACKOFF = { first: 500, last: 30_000, most: 300_000 };
/** ms; Node takes a longer one for none. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** ms; at most one line in the log for each kind of trouble. */
const LOG_EACH = 60_000;
/** ms; an id is not sent when it could leave the window on its way. */
const ID_AGE = MAX_ID_AGE_MS - 60 * 60_000;

/** Keeps events until Daybook has them, and sends them in batches, one at a time. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #buffer: Buffer;
  #underWay: readonly Waiting[] = [];
  #sequence = 0;
  #failures = 0;
  #isSending = false;
  /** nothing more is taken in, and once it has ended, nothing is tried again */
  #isClosed = false;
  #hasEnded = false;
  #timer: { handle: ReturnType<typeof setTimeout>; isSoon: boolean } | undefined;
  /** ends the pause before the next try */
  #hurry: () => void = () => {};
  /** looks whether what they wait for is settled */
  readonly #flushes = new Set<() => void>();
  readonly #loggedAt = new Map<string, number>();
  readonly #counts = { stored: 0, refused: 0, dropped: 0 };

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#buffer = new Buffer(options.buffer, options.drop);
  }

  get counts(): Counts {
    return { ...this.#counts, buffered: this.#buffer.length + this.#underWay.length };
  }

  /** Another with a buffer of its own. */
  fork(): Sender {
    return new Sender(this.#options);
  }

  /** Takes an event in, to be sent soon. @param settle told what became of it; `later`: it was dropped */
  add(id: string, json: string, settle?: (outcome: EventOutcome) => void): void {
    this.#sequence += 1;
    const event = { sequence: this.#sequence, id, json, isRedacted: false, settle };
    if (this.#isClosed) return this.#drop([event], 'closed');
    this.#drop(this.#buffer.push(event), 'full');
    this.#schedule(this.#buffer.fills(this.#options.batch));
  }

  /** Counts an event that cannot even be written. */
  refuse(error: unknown, settle?: (outcome: EventOutcome) => void): void {
    const event = { sequence: 0, id: '', json: '', isRedacted: true, settle };
    this.#settle(event, { result: 'refused', code: 'unwritable', detail: nameOf(error) });
  }

  /** Sends what waits, at once. @returns whether all of it was settled within so many ms */
  flush(timeout: number): Promise<boolean> {
    const last = this.#sequence;
    const isSettled = () =>
      !this.#buffer.holdsUpTo(last) && this.#underWay.every(({ sequence }) => sequence > last);
    if (isSettled()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#flushes.delete(look);
        resolve(isSettled());
      };
      const look = () => {
        if (isSettled()) end();
      };
      const timer = setTimeout(end, Math.min(timeout, LONGEST_TIMER));
      this.#flushes.add(look);
      this.#hurry();
      this.#schedule(true);
    });
  }

  /** The same, and takes nothing in any more. What could not be sent is dropped. */
  async close(timeout: number): Promise<boolean> {
    this.#isClosed = true;
    const areAllSettled = await this.flush(timeout);
    this.#hasEnded = true;
    this.#dropAll('closed');
    this.#hurry();
    return areAllSettled;
  }

  /** The same for a request, after which nothing goes on: what could not be sent by then is dropped, and told. */
  async finish(timeout: number): Promise<void> {
    if (!(await this.flush(timeout))) this.#dropAll('out of time');
  }

  #dropAll(why: string): void {
    this.#drop(this.#buffer.take({ events: Infinity, characters: Infinity }), why);
  }

  /** Never sends in the caller's own turn. */
  #schedule(isSoon: boolean): void {
    if (this.#isSending || (this.#timer !== undefined && (this.#timer.isSoon || !isSoon))) return;
    clearTimeout(this.#timer?.handle);
    const handle = background(() => void this.#sendAll(), isSoon ? 0 : this.#options.linger);
    this.#timer = { handle, isSoon };
  }

  async #sendAll(): Promise<void> {
    this.#timer = undefined;
    this.#isSending = true;
    while (this.#buffer.length > 0) {
      const batch = this.#buffer.take(this.#options.batch);
      this.#underWay = batch;
      const pause = await this.#send(batch.filter((event) => this.#makeReady(event)));
      this.#underWay = [];
      for (const look of this.#flushes) look();
      if (pause > 0 && this.#buffer.length > 0)
        await this.#pause(this.#flushes.size > 0 ? Math.min(pause, BACKOFF.first) : pause);
    }
    this.#isSending = false;
  }

  /** @returns ms to wait before the next batch */
  async #send(batch: readonly Waiting[]): Promise<number> {
    const [first, ...others] = batch;
    if (first === undefined) return 0;
    const outcome = await this.#carry(batch);
    if (outcome.kind !== 'refused') return this.#settleAll(batch, outcome);
    if (others.length > 0) {
      // What of it cannot be taken stands alone in the end.
      const middle = batch.length >> 1;
      const pause = await this.#send(batch.slice(0, middle));
      return Math.max(pause, await this.#send(batch.slice(middle)));
    }
    this.#settle(first, { ...outcome, result: 'refused' });
    return 0;
  }

  async #carry(batch: readonly Waiting[]): Promise<BatchOutcome> {
    try {
      return await this.#options.transport.send(batch.map(({ json }) => json));
    } catch (error) {
      // One that is not ours may reject all the same.
      return { kind: 'later', reason: nameOf(error) };
    }
  }

  #settleAll(batch: readonly Waiting[], outcome: Exclude<BatchOutcome, { kind: 'refused' }>): number {
    const outcomes = outcome.kind === 'answered' ? outcome.outcomes : [];
    const later = batch.filter((event, index) => !this.#settle(event, outcomes[index]));
    if (later.length === 0) {
      this.#failures = 0;
      return 0;
    }
    this.#underWay = this.#underWay.filter((event) => !later.includes(event));
    if (this.#hasEnded) this.#drop(later, 'closed');
    else this.#buffer.putBack(later);
    const reason = outcome.kind === 'later' ? outcome.reason : 'unavailable';
    this.#log('warn', 'later', `Daybook does not take events (${reason}); they wait`);
    // One that cannot be stored yet holds up no others.
    if (later.length < batch.length) this.#failures = 0;
    const backoff = Math.min(BACKOFF.last, BACKOFF.first * 2 ** this.#failures) * (0.5 + Math.random() / 2);
    this.#failures += 1;
    return Math.min(BACKOFF.most, Math.max(backoff, outcome.retryAfter ?? 0));
  }

  /** @returns whether it is done with */
  #settle(event: Waiting, outcome: EventOutcome | undefined): boolean {
    if (outcome === undefined || outcome.result === 'later') return false;
    this.#counts[outcome.result] += 1;
    if (outcome.result === 'refused')
      this.#log('error', outcome.code, `an event is refused (${outcome.code}): ${outcome.detail}`);
    event.settle?.(outcome);
    return true;
  }

  /** Redacts it, once, and gives it an id that is taken in, which it keeps. @returns false where it cannot be sent */
  #makeReady(event: Waiting): boolean {
    const isOld = isId(event.id) && Date.now() - timeOf(event.id) >= ID_AGE;
    if (event.isRedacted && !isOld) return true;
    try {
      // It was written from an object.
      let content = JSON.parse(event.json) as Record<string, unknown>;
      if (!event.isRedacted) content = this.#options.redact(content);
      if (isOld) {
        content['occurred_at'] ??= new Date(timeOf(event.id)).toISOString();
        event.id = newId();
      }
      event.json = JSON.stringify({ ...content, id: event.id });
      event.isRedacted = true;
      return true;
    } catch (error) {
      this.#settle(event, { result: 'refused', code: 'redaction_failed', detail: nameOf(error) });
      return false;
    }
  }

  #drop(events: readonly Waiting[], why: string): void {
    if (events.length === 0) return;
    this.#counts.dropped += events.length;
    this.#log('error', why, `events are dropped: the client is ${why}`);
    for (const { settle } of events) settle?.({ result: 'later' });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = background(resolve, ms);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #log(level: 'warn' | 'error', kind: string, message: string): void {
    const now = Date.now();
    if (now - (this.#loggedAt.get(kind) ?? -Infinity) < LOG_EACH) return;
    this.#loggedAt.set(kind, now);
    try {
      this.#options.logger[level](`daybook: ${message}`, this.counts);
    } catch {
      // A logger that fails must not end what it logs about.
    }
  }
}

/** Of an error only its name: its message may hold anything. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

/** A timer that keeps no process alive, where the runtime can tell. */
function background(run: () => void, ms: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(run, ms);
  if (typeof timer === 'object') timer.unref();
  return timer;
}
