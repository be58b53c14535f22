import type { Queue } from '../env.ts';
import { within } from '../http/within.ts';
import { CALL_LIMIT } from './database.ts';

export interface Backlog {
  messages: number;
  bytes: number;
  /** seconds; 0 when nothing waits */
  oldest: number;
}

/** What waits in the queue. @returns `undefined` when the queue does not answer within 5 s; never rejects */
export async function askQueue(queue: Queue): Promise<Backlog | undefined> {
  try {
    const metrics = await within(CALL_LIMIT, queue.metrics());
    return metrics && toBacklog(metrics, Date.now());
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown';
    console.error(JSON.stringify({ event: 'queue_metrics_failed', error: name }));
    return undefined;
  }
}

/** @param now ms since 1970 */
export function toBacklog(metrics: Awaited<ReturnType<Queue['metrics']>>, now: number): Backlog {
  // The platform gives a Date or nothing, workerd on one's own machine a number, 0 for nothing.
  const oldestAt = Number(metrics.oldestMessageTimestamp ?? 0);
  const oldest = oldestAt > 0 ? Math.max(0, now - oldestAt) / 1000 : 0;
  return { messages: metrics.backlogCount, bytes: metrics.backlogBytes, oldest };
}
