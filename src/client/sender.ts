import type { Catalogue } from '../events/catalogue.ts';
import type { Flaw } from '../events/flaw.ts';
import type { AuditEvent } from './event.ts';
import type { Buffer, Counts, Lane, Size, Waiting } from './buffer.ts';
import { backoff, FIRST_PAUSE, Pace } from './pace.ts';
import { nameOf, prepare, type Redact } from './prepare.ts';
import type { Tell } from './teller.ts';
import type { BatchOutcome, EventOutcome, Transport } from './transport.ts';

export interface SenderOptions {
  transport: Transport;
  redact: Redact;
  /** what a batch carries at most */
  batch: Size;
  /** ms that an event waits for others */
  linger: number;
  /** of the logger and of all its requests */
  buffer: Buffer;
  tell: Tell;
  catalogue: Catalogue | undefined;
}

/** ms; Node takes a longer one for none. */
const LONGEST_TIMER = 2_147_483_647;
/** ms; even where more is asked for. */
const LONGEST_WAIT = 300_000;

/** Sends events in batches, one at a time, until Daybook has them. */
export class Sender implements Lane {
  readonly waiting = new Set<Waiting>();
  readonly flushes = new Set<() => void>();
  readonly #options: SenderOptions;
  readonly #buffer: Buffer;
  readonly #pace: Pace;
  /** what it was forked from, or itself */
  readonly #root: Sender;
  /** nothing more is taken in */
  #isClosed = false;
  /** ms of `performance.now()` */
  #pausedUntil = 0;
  /** when it sends next; always while it sends */
  #timer: { handle?: ReturnType<typeof setTimeout>; at: number } = { at: Infinity };

  constructor(options: SenderOptions, root?: Sender) {
    this.#options = options;
    this.#buffer = options.buffer;
    this.#pace = new Pace(options.batch.events);
    this.#root = root ?? this;
  }

  get counts(): Counts {
    return { ...this.#buffer.counts };
  }

  /** Another that sends for itself, within the same bounds; it ends with this one. */
  fork(): Sender {
    return new Sender(this.#options, this.#root);
  }

  /** Takes an event in, to be sent soon. @param settle told what became of it; `later`: it was dropped */
  add(id: string, json: string, settle?: (outcome: EventOutcome) => void): void {
    const event: Waiting = { lane: this, size: json.length, id, json, tries: 0, notBefore: 0, settle };
    this.#buffer.counts.buffered += 1;
    if (this.#isClosed || this.#root.#isClosed) return this.#drop([event], 'closed');
    this.#drop(this.#buffer.add(event), 'full');
    const { batch, linger } = this.#options;
    const isFull = this.waiting.size >= batch.events || this.#buffer.characters >= batch.characters;
    this.#schedule(isFull ? 0 : performance.now() + linger);
  }

  /** Counts an event that is not sent at all. */
  refuse(code: string, detail: string, settle?: (outcome: EventOutcome) => void): void {
    this.#count({ result: 'refused', code, detail }, settle);
  }

  /** What is wrong with an event by the catalogue, where there is one. */
  check(event: Partial<AuditEvent>): readonly Flaw[] {
    // Of what is not there the catalogue's own error tells.
    return this.#options.catalogue?.check(event as AuditEvent) ?? [];
  }

  /** Sends what waits, at once. @returns whether all of it was settled within so many ms */
  flush(timeout: number): Promise<boolean> {
    const events = this.#own();
    const isSettled = () => !events.some((event) => this.#buffer.all.has(event));
    return new Promise((resolve) => {
      const look = (isOver?: boolean) => {
        const isDone = isSettled();
        if (!isDone && !isOver) return;
        clearTimeout(timer);
        for (const { lane } of events) lane.flushes.delete(look);
        resolve(isDone);
      };
      const timer = setTimeout(look, Math.min(timeout, LONGEST_TIMER), true);
      for (const event of events) {
        event.notBefore = 0;
        event.lane.flushes.add(look);
        event.lane.hurry();
      }
      look();
    });
  }

  hurry(): void {
    this.#pausedUntil = 0;
    this.#schedule(0);
  }

  /** The same, and takes nothing in any more. */
  close(timeout: number): Promise<boolean> {
    this.#isClosed = true;
    return this.finish(timeout, 'closed');
  }

  /** The same, and drops what could not be sent by then. Of what is under way, it is still seen whether it is stored. */
  async finish(timeout: number, why = 'out of time'): Promise<boolean> {
    const areAllSettled = await this.flush(timeout);
    const events = areAllSettled ? [] : this.#own();
    for (const event of events) this.#buffer.remove(event);
    this.#drop(
      events.filter(({ isUnderWay }) => !isUnderWay),
      why,
    );
    return areAllSettled;
  }

  /** Its own events; those of all others too, unless it was forked. */
  #own(): Waiting[] {
    return [...(this.#root === this ? this.#buffer.all : this.waiting)];
  }

  /** At a time or as soon as that may be, but never in the caller's own turn. */
  #schedule(time: number): void {
    const now = performance.now();
    const at = Math.max(time, now, this.#pausedUntil);
    if (at >= this.#timer.at) return;
    clearTimeout(this.#timer.handle);
    const handle = setTimeout(() => void this.#sendAll(), at - now);
    // It keeps no process alive, where the runtime can tell.
    (handle as { unref?(): void }).unref?.();
    this.#timer = { handle, at };
  }

  /** @returns the time in so many ms, or in fewer where a flush waits */
  #timeIn(ms: number): number {
    return performance.now() + (this.flushes.size > 0 ? Math.min(ms, FIRST_PAUSE) : ms);
  }

  /** The next batch: as many as it carries of those whose time has come, and one at least. */
  #take(): Waiting[] {
    const batch: Waiting[] = [];
    let characters = 0;
    for (const event of this.waiting) {
      if (Math.max(event.notBefore, this.#pausedUntil) > performance.now()) continue;
      characters += event.json.length;
      if (batch.length > 0 && (event.isAlone || characters > this.#options.batch.characters)) break;
      event.isUnderWay = true;
      batch.push(event);
      if (event.isAlone || batch.length >= this.#pace.limit) break;
    }
    return batch;
  }

  async #sendAll(): Promise<void> {
    this.#timer = { at: -Infinity };
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      await this.#send(batch.filter((event) => this.#isReady(event)));
      for (const look of this.flushes) look();
    }
    this.#timer = { at: Infinity };
    let next = Infinity;
    for (const { notBefore } of this.waiting) next = Math.min(next, notBefore);
    this.#schedule(next);
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const outcome = await this.#carry(batch);
    if (outcome.kind !== 'refused') {
      this.#settleAll(batch, first, outcome);
    } else if (batch.length > 1) {
      // What of it cannot be taken stands alone in the end.
      const middle = batch.length >> 1;
      await this.#send(batch.slice(0, middle));
      await this.#send(batch.slice(middle));
    } else {
      this.#settle(first, { ...outcome, result: 'refused' });
    }
  }

  async #carry(batch: readonly Waiting[]): Promise<BatchOutcome> {
    try {
      return await this.#options.transport.send(batch.map(({ json }) => json));
    } catch (error) {
      const reason = nameOf(error);
      return { kind: 'later', reason, isSuspect: reason === 'TimeoutError' };
    }
  }

  #settleAll(
    batch: readonly Waiting[],
    first: Waiting,
    outcome: Exclude<BatchOutcome, { kind: 'refused' }>,
  ): void {
    const isAnswered = outcome.kind === 'answered';
    const outcomes = isAnswered ? outcome.outcomes : [];
    const later = batch.filter((event, index) => !this.#settle(event, outcomes[index]));
    const [oldest] = later;
    if (isAnswered) this.#pace.succeeded();
    else if (!first.isAlone) {
      if (outcome.isSuspect) first.isAlone = this.#pace.suspect(batch.length);
      this.#pace.failures += 1;
    }
    if (!oldest) return;
    // One for all of them: they go together again.
    const notBefore = this.#timeIn(backoff(oldest.tries));
    for (const event of later) {
      event.isUnderWay = false;
      event.tries += 1;
      if (!this.waiting.has(event)) this.#drop([event], 'out of time');
      // What holds up others goes behind them; what nobody takes stays where it is.
      else if (isAnswered || first.isAlone) {
        event.notBefore = notBefore;
        this.waiting.delete(event);
        this.waiting.add(event);
      }
    }
    const one = isAnswered ? outcomes.find((each) => each.result === 'later') : outcome;
    this.#options.tell('kept', one?.reason);
    const pause = isAnswered ? 0 : backoff(this.#pace.failures - 1);
    this.#pausedUntil = this.#timeIn(Math.max(pause, Math.min(LONGEST_WAIT, outcome.retryAfter ?? 0)));
  }

  /** @returns whether it is done with */
  #settle(event: Waiting, outcome: EventOutcome | undefined): boolean {
    if (!outcome || outcome.result === 'later') return false;
    this.#buffer.remove(event);
    this.#buffer.counts.buffered -= 1;
    this.#count(outcome, event.settle);
    return true;
  }

  #count(outcome: Exclude<EventOutcome, { result: 'later' }>, settle: Waiting['settle']): void {
    this.#buffer.counts[outcome.result] += 1;
    if (outcome.result === 'refused') this.#options.tell('refused', outcome.code, `: ${outcome.detail}`);
    settle?.(outcome);
  }

  /** @returns false where it cannot be sent */
  #isReady(event: Waiting): boolean {
    try {
      prepare(event, this.#options.redact);
      return true;
    } catch (error) {
      this.#settle(event, { result: 'refused', code: 'redaction_failed', detail: nameOf(error) });
      return false;
    }
  }

  #drop(events: readonly Waiting[], why: string): void {
    const { counts } = this.#buffer;
    counts.buffered -= events.length;
    counts.dropped += events.length;
    for (const { settle } of events) {
      this.#options.tell('dropped', why);
      settle?.({ result: 'later', reason: why });
    }
  }
}
