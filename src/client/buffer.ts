import type { EventOutcome } from './transport.ts';

/** An event that is not known to be stored. */
export interface Waiting {
  /** in the order of the calls */
  readonly sequence: number;
  id: string;
  /** as it is sent, once it is redacted */
  json: string;
  isRedacted: boolean;
  /** told what became of it; `later`: it was dropped */
  readonly settle: ((outcome: EventOutcome) => void) | undefined;
}

/** A number of events, and of characters of their JSON. */
export interface Size {
  events: number;
  characters: number;
}

/** Events in the order in which they came, bounded. */
export class Buffer {
  readonly #most: Size;
  readonly #drop: 'newest' | 'oldest';
  #waiting: Waiting[] = [];
  #characters = 0;

  constructor(most: Size, drop: 'newest' | 'oldest') {
    this.#most = most;
    this.#drop = drop;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Whether any of those up to this one waits. */
  holdsUpTo(sequence: number): boolean {
    return this.#waiting.some((event) => event.sequence <= sequence);
  }

  fills({ events, characters }: Size): boolean {
    return this.#waiting.length >= events || this.#characters >= characters;
  }

  /** @returns what there is no room for */
  push(event: Waiting): Waiting[] {
    this.#waiting.push(event);
    this.#characters += event.json.length;
    const dropped: Waiting[] = [];
    while (this.#waiting.length > this.#most.events || this.#characters > this.#most.characters) {
      dropped.push(...this.#remove(this.#drop === 'newest' ? this.#waiting.length - 1 : 0, 1));
    }
    return dropped;
  }

  /** The oldest, as many as a batch carries, and one at least. */
  take(most: Size): Waiting[] {
    let characters = 0;
    const end = this.#waiting.findIndex(({ json }, index) => {
      characters += json.length;
      return index === most.events || (index > 0 && characters > most.characters);
    });
    return this.#remove(0, end === -1 ? this.#waiting.length : end);
  }

  /** In front: they are the oldest. Those that a batch took have room all the same. */
  putBack(events: readonly Waiting[]): void {
    this.#waiting.unshift(...events);
    for (const { json } of events) this.#characters += json.length;
  }

  #remove(start: number, count: number): Waiting[] {
    const removed = this.#waiting.splice(start, count);
    for (const { json } of removed) this.#characters -= json.length;
    return removed;
  }
}
