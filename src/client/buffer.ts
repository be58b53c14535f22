import { NO_PAUSE } from './pace.ts';
import { teller, type Logger, type Tell } from './teller.ts';
import type { EventOutcome } from './transport.ts';

/** What sends some of the events. */
export interface Lane {
  /** in the order in which they are tried */
  readonly waiting: Set<Waiting>;
  /** tries at once, and goes on until a time of `performance.now()`, whatever others found out */
  hurry(until: number): void;
}

/** An event that is not known to be stored. */
export interface Waiting {
  readonly lane: Lane;
  /** characters of JSON that it takes the room of */
  readonly size: number;
  id: string;
  /** ms since 1970, where the client made the id */
  madeAt: number | undefined;
  /** as it is sent, once it is redacted */
  json: string;
  isRedacted?: boolean;
  isUnderWay?: boolean;
  /** it goes with no other: what stands before Daybook fails because of it */
  isAlone?: boolean;
  /** dropped where it was neither stored nor refused */
  end?: 'settled' | 'dropped';
  /** how often it was not taken */
  tries: number;
  /** ms of `performance.now()`, before which it is not tried again */
  notBefore: number;
  readonly settle: Settle;
}

/** Told what became of an event. */
export type Settle = ((outcome: Outcome) => void) | undefined;

/** What became of an event in the end; one that was dropped is refused by the code `dropped`. */
export type Outcome = Exclude<EventOutcome, { result: 'later' }>;

/** A number of events, and of characters of their JSON. */
export interface Size {
  events: number;
  characters: number;
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

/** The events of a logger and of its requests, bounded and counted together: those under way keep their room. */
export class Buffer {
  readonly #most: Size;
  readonly #dropsOldest: boolean;
  /** in the order of the calls */
  readonly all = new Set<Waiting>();
  readonly counts: Counts = { buffered: 0, stored: 0, refused: 0, dropped: 0 };
  readonly tell: Tell;
  /** see whether what they wait for is settled */
  readonly looks = new Set<() => void>();
  /** what one request found out, the others need not */
  pause = NO_PAUSE;
  characters = 0;

  constructor(most: Size, dropsOldest: boolean, logger: Logger) {
    this.#most = most;
    this.#dropsOldest = dropsOldest;
    this.tell = teller(logger, this.counts);
  }

  /** Takes an event in, and drops what there is no room for. */
  add(event: Waiting): void {
    const { events, characters } = this.#most;
    // Before anything is dropped: who is told of what is dropped may close the logger.
    this.all.add(event);
    event.lane.waiting.add(event);
    this.characters += event.size;
    // For one that is larger than all the room, nothing else goes.
    const mayGo = this.#dropsOldest && event.size <= characters ? this.all : [event];
    for (const each of mayGo) {
      if (this.all.size <= events && this.characters <= characters) break;
      if (each.isUnderWay) continue;
      this.drop(each, 'full');
      this.look();
    }
  }

  /** Events that nothing lets pass must not take the room of all others. */
  dropAlone(): void {
    const alone = [...this.all].filter(({ isAlone }) => isAlone);
    const tooMany = alone.slice(0, -Math.max(1, this.#most.events / 20));
    for (const event of tooMany) if (!event.isUnderWay) this.drop(event, 'taken by nothing');
  }

  remove(event: Waiting): void {
    event.lane.waiting.delete(event);
    if (this.all.delete(event)) this.characters -= event.size;
  }

  /** @returns whether it is done with */
  settle(event: Waiting, outcome: EventOutcome | undefined): boolean {
    if (event.end) return true;
    if (!outcome || outcome.result === 'later') return false;
    event.end = 'settled';
    this.remove(event);
    this.counts.buffered -= 1;
    this.count(outcome, event.settle);
    return true;
  }

  /** Counts what became of an event, and tells. */
  count(outcome: Outcome, settle: Settle): void {
    this.counts[outcome.result] += 1;
    if (outcome.result === 'refused') this.tell('refused', outcome.code, `: ${outcome.detail}`);
    settle?.(outcome);
  }

  /** Once: who is told of another that is dropped may have this one dropped before. */
  drop(event: Waiting, why: string): void {
    if (event.end) return;
    this.remove(event);
    event.end = 'dropped';
    this.counts.buffered -= 1;
    this.counts.dropped += 1;
    this.tell('dropped', why);
    event.settle?.({ result: 'refused', code: 'dropped', detail: why });
  }

  /** Has those look that wait, once some were settled or dropped. */
  look(): void {
    for (const look of this.looks) look();
  }
}
