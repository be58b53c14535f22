import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './client.ts';
import { makeEvent } from './event.ts';
import type { Ack, Ledger } from './ledger.ts';
import { randomOf } from './random.ts';
import type { Stage } from './stage.ts';

/** One request, and whether it is sent once more after it was acknowledged. */
interface Shot {
  /** ms since the load began */
  at: number;
  ack: Ack;
  /** places of its events in the run: the first, and how many */
  first: number;
  events: number;
  again: Ack | undefined;
}

export interface Load {
  seed: number;
  clients: number;
  /** in all */
  events: number;
  perSecond: number;
  acks: readonly [Ack, ...Ack[]];
  /** no new requests from then on */
  stop: AbortSignal;
  /** nor any retry */
  giveUp: AbortSignal;
}

const MAX_BATCH = 50;

/** Single events and batches, half and half, evenly over time; one in twenty is sent again although it was acknowledged. */
export function* shots({
  seed,
  events,
  perSecond,
  acks,
}: Omit<Load, 'stop' | 'giveUp' | 'clients'>): Generator<Shot> {
  const random = randomOf(seed, 'shots');
  let at = 0;
  for (let left = events; left > 0;) {
    const size = Math.min(left, random.chance(0.5) ? 1 : random.integer(2, MAX_BATCH));
    const again = random.chance(0.05) ? random.pick(acks) : undefined;
    yield { at, ack: random.pick(acks), first: events - left, events: size, again };
    left -= size;
    at += (size * 1000) / perSecond;
  }
}

/** Clients take the next request in turn; whoever waits for an answer holds up no other. Resolves when all have ended. */
export async function fire(stage: Stage, ledger: Ledger, load: Load): Promise<void> {
  const queue = shots(load);
  const startedAt = ledger.now();

  async function run(number: number): Promise<void> {
    const random = randomOf(load.seed, `client ${number}`);
    const client = new Client(stage, ledger, random);
    for (;;) {
      const { value: shot } = queue.next();
      if (shot === undefined) break;
      await sleep(Math.max(0, startedAt + shot.at - ledger.now()), undefined, { signal: load.stop }).catch(
        () => {},
      );
      if (load.stop.aborted) break;
      const events = Array.from({ length: shot.events }, (_, place) =>
        makeEvent(load.seed, shot.first + place),
      );
      for (const event of events) ledger.send(event);
      await client.send(events, shot.ack, load.giveUp);
      if (shot.again === undefined) continue;
      ledger.resends += 1;
      await sleep(random.between(0, 500));
      await client.send(events, shot.again, load.giveUp);
    }
    client.close();
  }
  await Promise.all(Array.from({ length: load.clients }, (_, number) => run(number)));
}
