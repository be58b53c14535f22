import { readNotStored } from '../db/append.ts';
import type { DatabaseFailure } from '../db/failure.ts';
import { isWorthWaiting } from './admit.ts';
import { buryRows, lostAmong } from './bury.ts';
import type { Database } from './database.ts';
import { isSettled, openItems, settleItems, type Group } from './group.ts';
import type { Flush, Send } from './send.ts';
import { outcomesOf, storeRows } from './store.ts';

/** Sends groups whose clients wait for the commit: to the database and nowhere else. */
export function sendCommitted(database: Database): Send {
  return async function sendCommitted(groups, flush) {
    if (isSettled(groups)) return;
    const atomic = groups.find((group) => group.atomic);
    if (!database.breaker.admits()) {
      // As at the door, and no longer.
      for (const group of groups) {
        group.refusedAt ??= Date.now();
        if (!isWorthWaiting(database.breaker, group.refusedAt)) group.settleRest({ result: 'unavailable' });
      }
      return;
    }
    await (atomic === undefined
      ? storeGroups(groups, database, flush)
      : storeAtomic(atomic, database, flush));
    // The breaker opened, or its probe failed: an answer now is worth more than one in a while.
    if (!database.breaker.isClosed) for (const group of groups) group.settleRest({ result: 'unavailable' });
  };
}

async function storeGroups(groups: readonly Group[], database: Database, flush: Flush): Promise<void> {
  const items = openItems(groups);
  const rows = items.map(({ event }) => event.row);
  const outcomes = await storeRows(rows, database, flush.onProgress);
  const ids = items.map(({ event }) => event.id);
  // A conflict is for the client to mend, who is told of it. What the database refuses may be a fault of ours.
  const refused = lostAmong(rows, ids, outcomes).filter(({ outcome }) => outcome.result === 'refused');
  settleItems(items, outcomes);
  // Trying again now is in vain, and a wait of the client's too.
  for (const [place, { group, index }] of items.entries()) {
    if (outcomes[place]?.result === 'no_partition') group.settle(index, { result: 'no_partition' });
  }
  // Nobody waits for it: who is refused is told so.
  flush.onProgress();
  await buryRows(refused, database);
}

async function storeAtomic(group: Group, database: Database, flush: Flush): Promise<void> {
  const rows = group.events.map(({ row }) => row);
  flush.onProgress();
  const outcome = await database.append(rows, true);
  if (outcome.ok) settleItems(openItems([group]), outcomesOf(rows, outcome.value));
  else if (outcome.failure.kind === 'refused') settleRefused(group, outcome.failure);
  else if (outcome.failure.kind === 'no_partition') group.settleRest({ result: 'no_partition' });
}

function settleRefused(group: Group, failure: Extract<DatabaseFailure, { kind: 'refused' }>): void {
  const { sqlstate, constraint, detail } = failure;
  // The database function raises this one itself; a real constraint would be named, and the detail of a trigger's is another.
  const notStored = sqlstate === '23505' && constraint === null ? readNotStored(detail) : undefined;
  if (notStored !== undefined) {
    for (const { index, result, leaf_hash: leafHash } of notStored) {
      if (result === 'conflict') group.settle(index, { result, leafHash });
    }
    return group.settleRest({ result: 'aborted' });
  }
  // Nothing of the batch is kept, not even as a dead letter: its client was told.
  const ids = group.events.slice(0, 20).map(({ id }) => id);
  console.error(JSON.stringify({ event: 'refused', count: group.events.length, ids, sqlstate, constraint }));
  group.settleRest({ result: 'refused', sqlstate, constraint, detail: '' });
}
