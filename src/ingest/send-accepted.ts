import { storeOrBury } from './bury.ts';
import type { Database } from './database.ts';
import { openItems, settleItems } from './group.ts';
import { sendQueued } from './send-queued.ts';
import type { Send } from './send.ts';
import type { Spill } from './spill.ts';

/**
 * Sends groups that were acknowledged already: to the database, and to the queue at once when that fails, is slow or is
 * known to be down.
 */
export function sendAccepted(database: Database, spill: Spill): Send {
  const queueRest = sendQueued(spill);
  return async function sendAccepted(groups, flush) {
    const items = openItems(groups);
    if (items.length === 0) return;
    const isQueueFaster = (flush.isDetour || database.breaker.isSlow) && spill.breaker.isClosed;
    if (!isQueueFaster && database.breaker.admits()) {
      const rows = items.map(({ event }) => event.row);
      const ids = items.map(({ event }) => event.id);
      settleItems(items, await storeOrBury(rows, ids, database, flush.onProgress));
    }
    await queueRest(groups, flush);
  };
}
