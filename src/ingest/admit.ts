import type { Ack } from './ack.ts';
import type { Breaker } from './breaker.ts';
import type { Ingest } from './ingest.ts';
import type { Writer } from './writer.ts';

/** ms that a request may wait for a database that is down to be probed. */
const PROBE_PATIENCE = 1000;

/**
 * Whether a request that waits for the commit may wait for what the breaker learns next.
 * @param since ms since 1970: when it first had to
 */
export function isWorthWaiting(breaker: Breaker, since = Date.now()): boolean {
  return breaker.wait <= PROBE_PATIENCE && Date.now() - since < PROBE_PATIENCE;
}

/** How events get in: by which writer, and whether the answer waits for their outcome; or why they do not. */
export type Admission =
  | { ok: true; writer: Writer; waits: boolean }
  | {
      ok: false;
      detail: string;
      /** seconds */
      retryAfter: number;
    };

/** Bytes over the limit that may wait for the queue, which takes them soon. */
const QUEUE_ROOM = 4 * 1024 * 1024;

/**
 * Decides at the door, before anything is acknowledged, whether the promise that is asked for can be kept.
 * @param bytes of the events
 */
export function admit({ writers, room, database, spill }: Ingest, ack: Ack, bytes: number): Admission {
  const down = { database: database.breaker.wait, queue: spill.breaker.wait };
  if (!room.has(bytes)) {
    // Nobody else gives back what cancelled requests took.
    writers.queued.expire();
    writers.committed.expire();
  }
  // Only a request of the same writer sees to what a dead leader of `accepted` events left behind.
  const hasRoom = room.has(bytes) || (writers[ack].isStuck && room.has(bytes, QUEUE_ROOM));
  switch (ack) {
    case 'committed':
      if (!isWorthWaiting(database.breaker)) {
        return refusal('The database does not answer.', down.database);
      }
      return hasRoom ? { ok: true, writer: writers.committed, waits: true } : FULL;
    case 'queued':
      return throughQueue();
    case 'accepted':
      if (down.database > 0 && down.queue > 0) {
        return refusal('Neither the database nor the queue answers.', Math.min(down.database, down.queue));
      }
      if (!hasRoom) return throughQueue();
      // Where neither is known to work, only what one of them holds is acknowledged.
      return {
        ok: true,
        writer: writers.accepted,
        waits: !database.breaker.isClosed && !spill.breaker.isClosed,
      };
  }

  function throughQueue(): Admission {
    if (down.queue > 0) return refusal('The queue does not answer.', down.queue);
    return room.has(bytes, QUEUE_ROOM) ? { ok: true, writer: writers.queued, waits: true } : FULL;
  }
}

const FULL: Admission = {
  ok: false,
  detail: 'Too many events wait. Nothing was stored: send it again.',
  retryAfter: 2,
};

function refusal(reason: string, wait: number): Admission {
  return {
    ok: false,
    detail: `${reason} Nothing was stored: send it again.`,
    retryAfter: Math.ceil(wait / 1000),
  };
}
