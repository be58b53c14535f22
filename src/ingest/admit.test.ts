import { describe, expect, test } from 'vitest';
import { admit } from './admit.ts';
import { ACKS } from './ack.ts';
import { Breaker } from './breaker.ts';
import { databaseOf } from './database.ts';
import type { Ingest } from './ingest.ts';
import { Room } from './room.ts';
import type { Writer } from './writer.ts';

const MB = 1024 * 1024;

/** `open` breakers have just opened for 5 s; `half` ones may be probed. */
async function ingest(state: {
  database?: 'open' | 'half';
  queue?: 'open' | 'half';
  taken?: number;
}): Promise<Ingest> {
  let now = 0;
  const breakers = {
    database: new Breaker({ ...OPENING, now: () => now }),
    queue: new Breaker({ ...OPENING, now: () => now }),
  };
  for (const when of ['half', 'open'] as const) {
    for (const name of ['database', 'queue'] as const) {
      if (state[name] === when) await breakers[name].watch(Promise.resolve('failed'), () => true);
    }
    now = 5000;
  }
  const room = new Room(12 * MB);
  room.enter(state.taken ?? 0);
  const writers = Object.fromEntries(
    ACKS.map((ack) => [ack, { name: ack, isStuck: false, expire: () => {} } as unknown as Writer]),
  );
  return {
    writers: writers as Ingest['writers'],
    room,
    database: databaseOf((() => {}) as never, breakers.database),
    spill: { queue: {} as never, breaker: breakers.queue },
    catalogues: {} as never,
    catalogue: undefined,
    defaultAck: 'accepted',
  };
}
const OPENING = { threshold: 1, first: 5000, longest: 5000 };

/** `writer`, `writer, awaited` or `503 after … s`. */
async function told(
  state: Parameters<typeof ingest>[0],
  ack: (typeof ACKS)[number],
  bytes = 1000,
): Promise<string> {
  const admission = admit(await ingest(state), ack, bytes);
  if (!admission.ok) return admission.retryAfter >= 1 ? '503' : 'too early';
  return `${(admission.writer as unknown as { name: string }).name}${admission.waits ? ', awaited' : ''}`;
}

describe('at the door', () => {
  test.each([
    [{}, 'accepted', 'queued, awaited', 'committed, awaited'],
    [{ database: 'open' }, 'accepted', 'queued, awaited', '503'],
    [{ database: 'half' }, 'accepted', 'queued, awaited', 'committed, awaited'],
    [{ queue: 'open' }, 'accepted', '503', 'committed, awaited'],
    [{ queue: 'half' }, 'accepted', 'queued, awaited', 'committed, awaited'],
    // Neither is known to work: nothing is acknowledged before one of them holds it.
    [{ database: 'half', queue: 'half' }, 'accepted, awaited', 'queued, awaited', 'committed, awaited'],
    [{ database: 'half', queue: 'open' }, 'accepted, awaited', '503', 'committed, awaited'],
    [{ database: 'open', queue: 'half' }, 'accepted, awaited', 'queued, awaited', '503'],
    [{ database: 'open', queue: 'open' }, '503', '503', '503'],
    // The isolate is full: only the queue takes more at once, and the answer waits for it.
    [{ taken: 12 * MB }, 'queued, awaited', 'queued, awaited', '503'],
    [{ taken: 12 * MB, queue: 'open' }, '503', '503', '503'],
    [{ taken: 16 * MB }, '503', '503', '503'],
  ] as const)(
    'with %j: accepted → %s, queued → %s, committed → %s',
    async (state, accepted, queued, committed) => {
      expect(await told(state, 'accepted')).toBe(accepted);
      expect(await told(state, 'queued')).toBe(queued);
      expect(await told(state, 'committed')).toBe(committed);
    },
  );
});
