import { describe } from '../http/describe.ts';
import { isSettled, type Group } from './group.ts';

/** What a flush of the writer offers to what sends its groups. */
export interface Flush {
  /** ms since 1970: when the leader's request stops waiting */
  until: number;
  /** all other flushes under way are held up */
  isDetour: boolean;
  /** to be called before each call and at least every few seconds: who is silent for long counts as dead */
  onProgress(): void;
  pause(ms: number): Promise<void>;
}

/**
 * Gets the groups of a flush to where their ack promises, and settles them. What it leaves open waits for the next flush.
 * Either several groups, or one that is atomic.
 */
export type Send = (groups: readonly Group[], flush: Flush) => Promise<void>;

/**
 * Tries again what a try leaves open, after growing pauses, while the leader's patience lasts. Never rejects: what throws is
 * a fault of ours, and must not hold up those that come after.
 */
export function persistently(once: Send): Send {
  return async function persistently(groups, flush) {
    for (let attempt = 0; Date.now() < flush.until; attempt += 1) {
      try {
        await once(groups, flush);
      } catch (error) {
        console.error(JSON.stringify({ event: 'internal_error', in: 'flush', ...describe(error) }));
        for (const group of groups) group.settleRest({ result: 'unavailable' });
      }
      if (isSettled(groups)) return;
      for (const group of groups) group.tried = true;
      flush.onProgress();
      await flush.pause(Math.min(backoff(attempt), Math.max(0, flush.until - Date.now())));
    }
  };
}

/** ms before the next attempt: doubling from 100 to 500, with full jitter so that isolates do not return together. */
export function backoff(attempt: number): number {
  return Math.random() * Math.min(500, 100 * 2 ** attempt);
}
