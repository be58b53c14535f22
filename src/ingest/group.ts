import type { PreparedEvent } from '../events/prepare.ts';

/** What became of one event. */
export type WriteOutcome =
  | { result: 'committed' }
  | { result: 'duplicate' | 'conflict'; leafHash: string }
  /** the database will never store it */
  | { result: 'refused'; sqlstate: string; constraint: string | null }
  /** not stored, because another event of its atomic batch could not be */
  | { result: 'aborted' }
  /** not known to be stored; sending it again is safe */
  | { result: 'unavailable' };

/** The events of one request, which wait, travel and are answered together. */
export class Group {
  readonly events: readonly PreparedEvent[];
  /** what the rows take in a call */
  readonly bytes: number;
  /** all or nothing */
  readonly atomic: boolean;
  /** a client waits for the commit */
  readonly urgent: boolean;
  /** when its request stops waiting */
  readonly giveUpAt: number;
  /** a call carried it before, and may have stored it although the answer was lost */
  tried = false;
  /** its request led a flush and was taken for dead: it is not to lead again */
  abandoned = false;
  /** how many events have no outcome yet */
  open: number;
  /** called when nothing is open any more, or when this group is to lead */
  wake: () => void = () => {};
  readonly #outcomes: WriteOutcome[] = [];
  readonly #onSettled: (outcomes: readonly WriteOutcome[]) => void;

  /** @param options.onSettled called once nothing is open any more, also when the request is long dead */
  constructor(
    events: readonly PreparedEvent[],
    options: {
      atomic: boolean;
      urgent: boolean;
      giveUpAt: number;
      onSettled(outcomes: readonly WriteOutcome[]): void;
    },
  ) {
    this.events = events;
    this.#onSettled = options.onSettled;
    this.bytes = events.reduce((sum, event) => sum + event.bytes, 0);
    this.atomic = options.atomic;
    this.urgent = options.urgent;
    this.giveUpAt = options.giveUpAt;
    this.open = events.length;
  }

  /** In the order of the events; complete when `open` is 0. */
  get outcomes(): readonly WriteOutcome[] {
    return this.#outcomes;
  }

  isOpen(index: number): boolean {
    return this.#outcomes[index] === undefined;
  }

  /** The first outcome of an event stays: a leader that was taken for dead may report late. */
  settle(index: number, outcome: WriteOutcome): void {
    if (!this.isOpen(index)) return;
    this.#outcomes[index] = outcome;
    this.open -= 1;
    if (this.open > 0) return;
    this.#onSettled(this.#outcomes);
    this.wake();
  }

  /** Gives the same outcome to every event that has none. */
  settleRest(outcome: WriteOutcome): void {
    this.events.forEach((_, index) => this.settle(index, outcome));
  }
}
