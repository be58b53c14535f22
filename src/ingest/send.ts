import type { AppendOutcome, NotStored } from '../db/append.ts';
import type { PreparedEvent } from '../events/prepare.ts';
import type { Group, WriteOutcome } from './group.ts';

/** One call of the database. */
export type Append = (
  rows: readonly string[],
  options: { atomic: boolean; signal: AbortSignal },
) => Promise<AppendOutcome>;

export interface SendOptions {
  append: Append;
  /** ms; a call that takes longer has failed */
  callLimit: number;
  pause(ms: number): Promise<void>;
  /** called before and after each call */
  onProgress(): void;
  /** ms since 1970: when the leader's request stops waiting */
  until: number;
}

/** One event on its way. */
interface Item {
  readonly group: Group;
  readonly index: number;
  readonly event: PreparedEvent;
}

/**
 * Sends the groups in one call, and again until every event has its outcome or the leader's patience ends.
 * @param groups several, or one that is atomic
 */
export async function send(groups: readonly Group[], options: SendOptions): Promise<void> {
  const [first] = groups;
  if (first === undefined) return;
  const items = groups.flatMap((group) => group.events.map((event, index) => ({ group, index, event })));
  await sendItems(items, first.atomic ? first : undefined, options);
}

/** @param atomic the group, where all is to be stored or nothing */
async function sendItems(
  all: readonly Item[],
  atomic: Group | undefined,
  options: SendOptions,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const items = all.filter(({ group, index }) => group.isOpen(index));
    if (items.length === 0 || Date.now() >= options.until) return;

    options.onProgress();
    const rows = items.map(({ event }) => event.row);
    const signal = AbortSignal.timeout(options.callLimit);
    const outcome = await options.append(rows, { atomic: atomic !== undefined, signal });
    if (outcome.ok) return settleStored(items, outcome.notStored);
    if (outcome.failure.kind === 'refused') {
      if (atomic !== undefined) return settleAtomic(atomic, outcome.failure);
      if (items.length === 1) return settleAll(items, { ...outcome.failure, result: 'refused' });
      // One bad row fails the call: halve it until that row stands alone and its neighbours are stored.
      const middle = items.length >> 1;
      await sendItems(items.slice(0, middle), atomic, options);
      return sendItems(items.slice(middle), atomic, options);
    }
    for (const { group } of items) group.tried = true;
    options.onProgress();
    await options.pause(Math.min(backoff(attempt), Math.max(0, options.until - Date.now())));
  }
}

function settleStored(items: readonly Item[], notStored: readonly NotStored[]): void {
  for (const { index, result, leaf_hash: leafHash } of notStored) {
    const item = items[index];
    if (item === undefined) continue;
    // Salts are random: the same leaf hash is our own earlier call, whose answer was lost.
    const own = item.group.tried && leafHash === item.event.leafHash;
    item.group.settle(item.index, own ? { result: 'committed' } : { result, leafHash });
  }
  settleAll(items, { result: 'committed' });
}

function settleAtomic(
  group: Group,
  failure: { sqlstate: string; constraint: string | null; detail: string | null },
): void {
  // The database function raises this one itself; a real constraint would be named, and its detail is no JSON.
  if (failure.sqlstate === '23505' && failure.constraint === null && failure.detail !== null) {
    const notStored = JSON.parse(failure.detail) as NotStored[];
    for (const { index, result, leaf_hash: leafHash } of notStored) {
      if (result === 'conflict') group.settle(index, { result, leafHash });
    }
    return group.settleRest({ result: 'aborted' });
  }
  group.settleRest({ result: 'refused', sqlstate: failure.sqlstate, constraint: failure.constraint });
}

function settleAll(items: readonly Item[], outcome: WriteOutcome): void {
  for (const { group, index } of items) group.settle(index, outcome);
}

/** ms before the next attempt: doubling from 100 to 2,000, with full jitter so that isolates do not return together. */
function backoff(attempt: number): number {
  return Math.random() * Math.min(2000, 100 * 2 ** attempt);
}
