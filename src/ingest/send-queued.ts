import type { Database } from './database.ts';
import { openItems } from './group.ts';
import { delayAfter } from './postpone.ts';
import type { Send } from './send.ts';
import { spillRows, type Spill } from './spill.ts';

/** Sends groups to the queue, from where they come later if the database is known to be down: less is moved in vain. */
export function sendQueued(spill: Spill, { breaker }: Database): Send {
  return async function sendQueued(groups, flush) {
    const items = openItems(groups);
    if (items.length === 0) return;
    const rows = items.map(({ event }) => event.row);
    const later = breaker.isClosed ? {} : { delaySeconds: delayAfter(1, breaker) };
    const held = await spillRows(rows, spill, flush.onProgress, later);
    for (const { group, index } of items.slice(0, held)) group.settle(index, { result: 'queued' });
  };
}
