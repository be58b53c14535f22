import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './client.ts';
import { makeEvent } from './event.ts';
import type { Sample } from './latency.ts';
import type { Ack, Ledger } from './ledger.ts';
import { randomOf } from './random.ts';
import type { Stage } from './stage.ts';

/** ms after the end of the load in which each event must have been acknowledged */
const GRACE = 30_000;

export interface ConstantLoad<Phase> {
  seed: number;
  /** in turn */
  acks: readonly Ack[];
  /** events a second */
  rate: number;
  /** what the samples are told apart by */
  phase(): Phase;
  /** @param sample from the instant at which it was to be sent, retries included */
  onAcknowledged(ack: Ack, phase: Phase, sample: Sample): void;
  stop: AbortSignal;
}

/** Sends single events at a constant rate, however long the answers take. Resolves when each is answered. */
export async function constantLoad<Phase>(
  stage: Stage,
  ledger: Ledger,
  { seed, acks, rate, phase, onAcknowledged, stop }: ConstantLoad<Phase>,
): Promise<void> {
  const client = new Client(stage, ledger, randomOf(seed, 'client'));
  const giveUp = new AbortController();
  const underWay = new Set<Promise<void>>();

  async function send(ack: Ack, index: number, due: number): Promise<void> {
    const sentIn = phase();
    const event = makeEvent(seed, index);
    const sent = ledger.send(event);
    await client.send([event], ack, giveUp.signal);
    if (sent.acks.length > 0) onAcknowledged(ack, sentIn, { at: due, ms: ledger.now() - due });
  }

  const startedAt = ledger.now();
  for (let index = 0; !stop.aborted; index += 1) {
    const due = startedAt + (index * 1000) / rate;
    const wait = due - ledger.now();
    if (wait > 0) await sleep(wait);
    const ack = acks[index % acks.length];
    if (ack === undefined) break;
    const sending = send(ack, index, due).finally(() => underWay.delete(sending));
    underWay.add(sending);
  }
  setTimeout(() => giveUp.abort(), GRACE).unref();
  await Promise.all(underWay);
  client.close();
}
