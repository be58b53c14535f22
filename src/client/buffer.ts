import { NO_PAUSE } from './pace.ts';
import type { EventOutcome } from './transport.ts';

/** What sends some of the events. */
export interface Lane {
  /** in the order in which they are tried */
  readonly waiting: Set<Waiting>;
  /** see whether what they wait for is settled */
  readonly looks: Set<() => void>;
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
  /** told what became of it; `later`: it was dropped */
  readonly settle: ((outcome: EventOutcome) => void) | undefined;
}

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

/** The events of a logger and of its requests, bounded together: those under way keep their room. */
export class Buffer {
  readonly #most: Size;
  readonly #drop: 'newest' | 'oldest';
  /** in the order of the calls */
  readonly all = new Set<Waiting>();
  readonly counts: Counts = { buffered: 0, stored: 0, refused: 0, dropped: 0 };
  /** what one request found out, the others need not */
  pause = NO_PAUSE;
  characters = 0;

  constructor(most: Size, drop: 'newest' | 'oldest') {
    this.#most = most;
    this.#drop = drop;
  }

  /** @returns what there is no room for */
  add(event: Waiting): Waiting[] {
    const { events, characters } = this.#most;
    const hasRoom = () => this.all.size < events && this.characters + event.size <= characters;
    const dropped: Waiting[] = [];
    // For one that is larger than all the room, nothing else goes.
    const goes = this.#drop === 'oldest' && event.size <= characters ? this.all : [];
    for (const oldest of goes) {
      if (hasRoom()) break;
      if (oldest.isUnderWay) continue;
      this.remove(oldest);
      dropped.push(oldest);
    }
    if (!hasRoom()) return [...dropped, event];
    this.all.add(event);
    event.lane.waiting.add(event);
    this.characters += event.size;
    return dropped;
  }

  /** Events that nothing lets pass must not take the room of all others. @returns what there are too many of */
  dropAlone(): Waiting[] {
    const alone = [...this.all].filter(({ isAlone }) => isAlone);
    const tooMany = alone.slice(0, -Math.max(1, this.#most.events / 20));
    for (const event of tooMany) this.remove(event);
    return tooMany;
  }

  remove(event: Waiting): void {
    event.lane.waiting.delete(event);
    if (this.all.delete(event)) this.characters -= event.size;
  }
}
