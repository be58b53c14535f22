import { openItems } from './group.ts';
import type { Send } from './send.ts';
import { spillRows, type Spill } from './spill.ts';

/** Sends groups to the queue. */
export function sendQueued(spill: Spill): Send {
  return async function sendQueued(groups, flush) {
    const items = openItems(groups);
    if (items.length === 0) return;
    const rows = items.map(({ event }) => event.row);
    const held = await spillRows(rows, spill, flush.onProgress);
    for (const { group, index } of items.slice(0, held)) group.settle(index, { result: 'queued' });
  };
}
