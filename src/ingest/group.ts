import type { PreparedEvent } from '../events/prepare.ts';
import type { RowOutcome } from './store.ts';

/** What became of one event. */
export type WriteOutcome =
  | Exclude<RowOutcome, { result: 'unburied' }>
  /** the queue holds it */
  | { result: 'queued' }
  /** not stored, because another event of its atomic batch could not be */
  | { result: 'aborted' };

/** The events of one request, which wait, travel and are answered together. */
export class Group {
  readonly events: readonly PreparedEvent[];
  /** what the rows take in a call */
  readonly bytes: number;
  /** all or nothing */
  readonly atomic: boolean;
  /** when its request stops waiting */
  readonly giveUpAt: number;
  /** ms since 1970: since when it waits for a database that is down */
  refusedAt: number | undefined;
  /** a call carried it before, and may have stored it although the answer was lost */
  tried = false;
  /** its request led a flush and was taken for dead: it is not to lead again */
  abandoned = false;
  /** its request led a flush beside others that were held up */
  wentAround = false;
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
      giveUpAt: number;
      onSettled(outcomes: readonly WriteOutcome[]): void;
    },
  ) {
    this.events = events;
    this.#onSettled = options.onSettled;
    this.bytes = events.reduce((sum, event) => sum + event.bytes, 0);
    this.atomic = options.atomic;
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

const AGAIN: ReadonlySet<RowOutcome['result']> = new Set(['unavailable', 'no_partition', 'unburied']);

/** Whether the row is done with: stored, kept as a dead letter, or for its client to mend. */
export function isFinal(
  outcome: RowOutcome,
): outcome is Exclude<RowOutcome, { result: 'unavailable' | 'no_partition' | 'unburied' }> {
  return !AGAIN.has(outcome.result);
}

/** One event of a group. */
export interface Item {
  readonly group: Group;
  readonly index: number;
  readonly event: PreparedEvent;
}

/** The events of the groups that have no outcome yet. */
export function openItems(groups: readonly Group[]): Item[] {
  return groups.flatMap((group) =>
    group.events.flatMap((event, index) => (group.isOpen(index) ? [{ group, index, event }] : [])),
  );
}

export function isSettled(groups: readonly Group[]): boolean {
  return groups.every(({ open }) => open === 0);
}

/** Gives each event its outcome, but for those that are to be sent again. */
export function settleItems(items: readonly Item[], outcomes: readonly RowOutcome[]): void {
  for (const [place, { group, index, event }] of items.entries()) {
    const outcome = outcomes[place];
    if (outcome === undefined || !isFinal(outcome)) continue;
    // Salts are random: the same leaf hash is our own earlier call, whose answer was lost.
    const own = group.tried && outcome.result === 'duplicate' && outcome.leafHash === event.leafHash;
    group.settle(index, own ? { result: 'committed' } : outcome);
  }
}
