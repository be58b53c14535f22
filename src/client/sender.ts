import type { Catalogue } from '../events/catalogue.ts';
import type { AuditEvent } from './event.ts';
import type { Buffer, Counts, Lane, Size, Waiting } from './buffer.ts';
import { backoff, longer, NO_PAUSE } from './pace.ts';
import { placeOf } from './place-of.ts';
import { nameOf, prepare, type Redact } from './prepare.ts';
import { settled } from './settled.ts';
import type { Tell } from './teller.ts';
import type { BatchOutcome, EventOutcome, Transport } from './transport.ts';

export interface SenderOptions {
  transport: Transport;
  redact: Redact;
  /** what a batch carries at most */
  batch: Size;
  /** ms that an event waits for others */
  linger: number;
  /** ms that a batch may take */
  timeout: number;
  /** of the logger and of all its requests */
  buffer: Buffer;
  tell: Tell;
  catalogue: Catalogue | undefined;
  /** of the request that calls */
  waitUntil: WaitUntil | undefined;
}

export type WaitUntil = (promise: Promise<unknown>) => void;
type Settle = Waiting['settle'];
type NotRefused = Exclude<BatchOutcome, { kind: 'refused' }>;

/** ms; the platform grants 30 s after the answer. */
const IN_REQUEST = 25_000;
/** ms before the end of that, in which it is tried whatever others found out. */
const LAST_TRIES = 2500;
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

/** Sends events in batches, one at a time, until Daybook has them. */
export class Sender implements Lane {
  readonly waiting = new Set<Waiting>();
  readonly looks = new Set<() => void>();
  readonly #options: SenderOptions;
  readonly #buffer: Buffer;
  /** what others found out before it had anything to send, and itself since */
  #pause = NO_PAUSE;
  /** failures in a row that may be for what an event holds */
  #suspicions = 0;
  /** what it was forked from, or itself */
  readonly #root: Sender;
  /** of the one request that it sends for */
  readonly #waitUntil: WaitUntil | undefined;
  /** of what is logged in this turn */
  #turn: Sender | undefined;
  #isHeld = false;
  /** nothing more is taken in */
  #isClosed = false;
  #timer: Timer = { at: Infinity, deadAt: Infinity };
  /** called as it closes */
  onClose: (() => void) | undefined;

  constructor(options: SenderOptions, root?: Sender, waitUntil?: WaitUntil) {
    this.#options = options;
    this.#buffer = options.buffer;
    this.#root = root ?? this;
    this.#waitUntil = waitUntil;
  }

  get counts(): Counts {
    return { ...this.#buffer.counts };
  }

  get tell(): Tell {
    return this.#options.tell;
  }

  /** Another that sends for itself within one request, within the same bounds; it ends with this one. */
  fork(waitUntil: WaitUntil): Sender {
    return new Sender(this.#options, this.#root, waitUntil);
  }

  /**
   * Takes an event in, to be sent soon.
   * @param madeAt ms since 1970, where the client made its id
   * @param settle told what became of it; `later`: it was dropped
   */
  add(id: string, json: string, madeAt: number | undefined, settle: Settle): void {
    const { batch, linger, catalogue, waitUntil } = this.#options;
    const isRoot = this.#root === this;
    if (waitUntil && isRoot) return this.#ofTurn(waitUntil).add(id, json, madeAt, settle);
    // As it is written; of what is not there the catalogue's own error tells.
    const [flaw] = catalogue?.check(JSON.parse(json) as AuditEvent) ?? [];
    if (flaw) return this.refuse('invalid_event', `${placeOf(flaw)}: ${flaw.detail}`, settle);
    const isClosed = this.#isClosed || this.#root.#isClosed;
    const now = performance.now();
    const size = json.length;
    const event: Waiting = { lane: this, size, id, json, madeAt, tries: 0, notBefore: 0, settle };
    if (this.waiting.size === 0) this.#pause = this.#buffer.pause;
    this.#buffer.counts.buffered += 1;
    if (isClosed) return this.#drop([event], 'closed');
    this.#drop(this.#buffer.add(event), 'full');
    const isFull = this.waiting.size >= batch.events || this.#buffer.characters >= batch.characters;
    this.#schedule(isFull || !isRoot ? 0 : now + linger);
    if (this.#waitUntil && !this.#isHeld) this.#holdRequest(this.#waitUntil);
  }

  /** Counts an event that is not sent at all. */
  refuse(code: string, detail: string, settle: Settle): void {
    this.#count({ result: 'refused', code, detail }, settle);
  }

  /** Sends what waits, at once. @returns whether all of it was stored or refused within so many ms */
  flush(timeout: number, events: readonly Waiting[] = this.#own()): Promise<boolean> {
    const until = performance.now() + timeout;
    for (const event of events) event.notBefore = event.tries = 0;
    for (const lane of new Set(events.map(({ lane }) => lane))) lane.hurry(until);
    return settled(events, timeout);
  }

  hurry(until: number): void {
    const { retryAt } = this.#pause;
    this.#pause = { failures: 0, until: retryAt < until ? retryAt : 0, retryAt };
    this.#schedule(0);
  }

  /** The same, and takes nothing in any more. */
  close(timeout: number): Promise<boolean> {
    this.#isClosed = true;
    this.onClose?.();
    return this.finish(timeout, 'closed');
  }

  /** The same, and drops what could not be sent by then. Of what is under way, it is still seen whether it is stored. */
  async finish(timeout: number, why = 'out of time', events = this.#own()): Promise<boolean> {
    const areAllSettled = await this.flush(timeout, events);
    const left = events.filter(({ end }) => !end);
    for (const event of left) this.#buffer.remove(event);
    this.#drop(
      left.filter(({ isUnderWay }) => !isUnderWay),
      why,
    );
    return areAllSettled;
  }

  /** Its own events; those of all others too, unless it was forked. */
  #own(): readonly Waiting[] {
    return [...(this.#root === this ? this.#buffer.all : this.waiting)];
  }

  /** For what is logged in one turn, and so by one request. */
  #ofTurn(waitUntil: WaitUntil): Sender {
    queueMicrotask(() => {
      this.#turn = undefined;
    });
    return (this.#turn ??= this.fork(waitUntil));
  }

  /** Has the platform wait until all that was logged in the request is done with. */
  #holdRequest(waitUntil: WaitUntil): void {
    let done = () => {};
    const finished = new Promise<void>((resolve) => (done = resolve));
    try {
      waitUntil(finished);
    } catch {
      // The request is over: its events wait for as long as the process lives.
      return;
    }
    this.#isHeld = true;
    void this.#finishAll(done);
  }

  /** Drops what could not be sent in the time of a request; what comes meanwhile has as much time again. */
  async #finishAll(done: () => void): Promise<void> {
    while (this.waiting.size > 0) {
      const events = this.#own();
      if (!(await settled(events, IN_REQUEST - LAST_TRIES)))
        await this.finish(LAST_TRIES, 'out of time', events);
    }
    this.#isHeld = false;
    done();
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

  /** The next batch: as many as it carries of those whose time has come; what goes alone, once nothing else does. */
  #take(): Waiting[] {
    const batch: Waiting[] = [];
    const now = performance.now();
    if (this.#pause.until > now) return batch;
    // While nothing goes through, it need not be tried with many.
    const most = this.#suspicions < MOST_HALVINGS ? this.#options.batch.events : 1;
    let characters = 0;
    let alone: Waiting | undefined;
    for (const event of this.waiting) {
      if (event.notBefore > now) continue;
      if (event.isAlone) {
        alone ??= event;
        continue;
      }
      characters += event.json.length;
      if (batch.length > 0 && characters > this.#options.batch.characters) break;
      batch.push(event);
      if (batch.length >= most) break;
    }
    if (alone && batch.length === 0) batch.push(alone);
    for (const event of batch) event.isUnderWay = true;
    return batch;
  }

  async #sendAll(): Promise<void> {
    const timer: Timer = { at: -Infinity, deadAt: Infinity };
    this.#timer = timer;
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      try {
        await this.#send(batch.filter((event) => this.#isReady(event)));
      } catch (error) {
        // A transport of the application's own may give anything.
        for (const event of batch) event.isUnderWay = false;
        this.#pause = longer(this.#pause);
        this.tell('kept', nameOf(error));
      }
      for (const look of this.looks) look();
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
    if (first === undefined) return;
    const outcome = await this.#carry(batch);
    const isRefused = outcome.kind === 'refused';
    const isForContent = isRefused || this.#isForContent(outcome, first, isPart);
    if (isForContent && batch.length > 1) {
      // What of it cannot be taken stands alone in the end.
      const middle = batch.length >> 1;
      await this.#send(batch.slice(0, middle), true);
      await this.#send(batch.slice(middle), true);
    } else if (isRefused) {
      this.#settle(first, { ...outcome, result: 'refused' });
    } else {
      if (isForContent) {
        first.isAlone = true;
        this.#drop(this.#buffer.dropAlone(), 'taken by nothing');
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
    const later = batch.filter((event, index) => !this.#settle(event, outcomes[index]));
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
      if (!this.waiting.has(event)) this.#drop([event], 'out of time');
      else if (goesBehind) {
        event.notBefore = notBefore;
        this.waiting.delete(event);
        this.waiting.add(event);
      }
    }
    const one = isAnswered ? outcomes.find((each) => each.result === 'later') : outcome;
    this.tell('kept', one?.reason);
    if (isAnswered ? !outcome.retryAfter : first.isAlone) return;
    this.#pause = longer(this.#pause, outcome.retryAfter);
    if (this.#pause.until > this.#buffer.pause.until) this.#buffer.pause = this.#pause;
  }

  /** @returns whether it is done with */
  #settle(event: Waiting, outcome: EventOutcome | undefined): boolean {
    if (event.end) return true;
    if (!outcome || outcome.result === 'later') return false;
    event.end = 'settled';
    this.#buffer.remove(event);
    this.#buffer.counts.buffered -= 1;
    this.#count(outcome, event.settle);
    return true;
  }

  #count(outcome: Exclude<EventOutcome, { result: 'later' }>, settle: Settle): void {
    this.#buffer.counts[outcome.result] += 1;
    if (outcome.result === 'refused') this.tell('refused', outcome.code, `: ${outcome.detail}`);
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
    for (const event of events) {
      event.end = 'dropped';
      counts.buffered -= 1;
      counts.dropped += 1;
      this.tell('dropped', why);
      event.settle?.({ result: 'later', reason: why });
      for (const look of event.lane.looks) look();
    }
  }
}
