import type { Catalogue } from '../events/catalogue.ts';
import type { Buffer, Counts, Settle, Waiting } from './buffer.ts';
import { Delivery, type DeliveryOptions } from './delivery.ts';
import type { AuditEvent } from './event.ts';
import { placeOf } from './place-of.ts';
import { settled } from './settled.ts';

export interface SenderOptions extends DeliveryOptions {
  /** ms that an event waits for others */
  linger: number;
  catalogue?: Catalogue;
  /** of the request that calls */
  waitUntil?: WaitUntil;
}

export type WaitUntil = (promise: Promise<unknown>) => void;

/** ms; the platform grants 30 s after the answer. */
const IN_REQUEST = 25_000;
/** ms before the end of that, in which it is tried whatever others found out. */
const LAST_TRIES = 2500;

/** Takes events in until it is closed, and sees each to its end: within the process, or within one request. */
export class Sender {
  readonly #options: SenderOptions;
  readonly buffer: Buffer;
  readonly #delivery: Delivery;
  /** what it was forked from, or itself */
  readonly #root: Sender;
  /** of the one request that it sends for */
  readonly #waitUntil: WaitUntil | undefined;
  /** of what is logged in this turn */
  #turn: Sender | undefined;
  #isHeld = false;
  /** nothing more is taken in */
  #isClosed = false;
  /** called as it closes */
  onClose: (() => void) | undefined;

  constructor(options: SenderOptions, root?: Sender, waitUntil?: WaitUntil) {
    this.#options = options;
    this.buffer = options.buffer;
    this.#delivery = new Delivery(options);
    this.#root = root ?? this;
    this.#waitUntil = waitUntil;
  }

  get counts(): Counts {
    return { ...this.buffer.counts };
  }

  /** Another that sends for itself within one request, within the same bounds; it ends with this one. */
  fork(waitUntil: WaitUntil): Sender {
    return new Sender(this.#options, this.#root, waitUntil);
  }

  /**
   * Takes an event in, to be sent soon.
   * @param madeAt ms since 1970, where the client made its id
   * @param settle told what became of it
   */
  add(id: string, json: string, madeAt: number | undefined, settle: Settle): void {
    const { linger, catalogue, waitUntil } = this.#options;
    const isRoot = this.#root === this;
    if (waitUntil && isRoot) return this.#ofTurn(waitUntil).add(id, json, madeAt, settle);
    // As it is written; of what is not there the catalogue's own error tells.
    const [flaw] = catalogue?.check(JSON.parse(json) as AuditEvent) ?? [];
    if (flaw) return this.refuse('invalid_event', `${placeOf(flaw)}: ${flaw.detail}`, settle);
    const lane = this.#delivery;
    const event: Waiting = { lane, size: json.length, id, json, madeAt, tries: 0, notBefore: 0, settle };
    this.buffer.counts.buffered += 1;
    if (this.#isClosed || this.#root.#isClosed) return this.buffer.drop(event, 'closed');
    lane.add(event, isRoot ? performance.now() + linger : 0);
    if (this.#waitUntil && !this.#isHeld) this.#holdRequest(this.#waitUntil);
  }

  /** Counts an event that is not sent at all. */
  refuse(code: string, detail: string, settle: Settle): void {
    this.buffer.count({ result: 'refused', code, detail }, settle);
  }

  /** Sends what waits, at once. @returns whether all of it was stored or refused within so many ms */
  flush(timeout: number, events: readonly Waiting[] = this.#own()): Promise<boolean> {
    const until = performance.now() + timeout;
    for (const event of events) {
      event.notBefore = event.tries = 0;
      event.lane.hurry(until);
    }
    return settled(events, timeout, this.buffer.looks);
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
    for (const event of events) {
      if (event.isUnderWay) this.buffer.remove(event);
      else this.buffer.drop(event, why);
    }
    this.buffer.look();
    return areAllSettled;
  }

  /** Its own events; those of all others too, unless it was forked. */
  #own(): readonly Waiting[] {
    return [...(this.#root === this ? this.buffer.all : this.#delivery.waiting)];
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
    try {
      this.#isHeld = true;
      waitUntil(this.#finishAll());
    } catch {
      // The request is over: its events wait for as long as the process lives.
      this.#isHeld = false;
    }
  }

  /** Drops what could not be sent in the time of a request; what comes meanwhile has as much time again. */
  async #finishAll(): Promise<void> {
    // Not before the platform has taken it.
    await Promise.resolve();
    while (this.#isHeld && this.#delivery.waiting.size > 0) {
      const events = this.#own();
      if (!(await settled(events, IN_REQUEST - LAST_TRIES, this.buffer.looks)))
        await this.finish(LAST_TRIES, 'out of time', events);
    }
    this.#isHeld = false;
  }
}
