import type { Queue } from '../env.ts';
import { within } from '../http/within.ts';
import type { Breaker } from './breaker.ts';
import { chunksOf } from './chunks.ts';
import { packRows, type QueueMessage } from './queue-message.ts';

/** The platform's queue, and what is known of its state. */
export interface Spill {
  queue: Queue;
  breaker: Breaker;
}

/** What one call of the queue takes: 256 KB, of which the platform uses some for each message. */
const CALL = { count: 100, bytes: 240_000 };
/** ms; a call that takes longer has failed, though it may have gone through. */
const CALL_LIMIT = 5000;

/** For rows that were tried before. */
export interface Later {
  tries?: number;
  delaySeconds?: number;
}

/**
 * Puts rows into the queue, in order; what `joinRows` wrote of several counts as one.
 * @param onProgress called before each call
 * @returns how many of them, from the first on, the queue holds
 */
export async function spillRows(
  rows: readonly string[],
  { queue, breaker }: Spill,
  onProgress: () => void,
  later: Later = {},
): Promise<number> {
  const { tries, delaySeconds } = later;
  let held = 0;
  const messages = await packRows(rows, tries);
  for (const call of chunksOf(messages, CALL, ({ bytes }) => ({ count: 1, bytes }))) {
    if (!breaker.admits()) break;
    onProgress();
    const isHeld = await breaker.watch(sendMessages(queue, call, delaySeconds), (sent) => !sent);
    if (!isHeld) break;
    held += call.reduce((sum, message) => sum + message.rows, 0);
  }
  return held;
}

/** @returns whether the queue is known to hold them */
export async function sendMessages(
  queue: Queue,
  messages: readonly Pick<QueueMessage, 'body' | 'contentType'>[],
  delaySeconds?: number,
): Promise<boolean> {
  try {
    const plain = messages.map(({ body, contentType }) => ({ body, contentType }));
    const sent = queue
      .sendBatch(plain, delaySeconds === undefined ? undefined : { delaySeconds })
      .then(() => true);
    return (await within(CALL_LIMIT, sent)) ?? false;
  } catch (error) {
    // Its message may hold anything.
    console.error(
      JSON.stringify({ event: 'queue_failed', error: error instanceof Error ? error.name : 'unknown' }),
    );
    return false;
  }
}
