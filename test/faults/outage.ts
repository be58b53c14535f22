import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { conclude, type Conclusion } from './conclude.ts';
import { constantLoad } from './constant-load.ts';
import { compare, type Comparison, type Sample } from './latency.ts';
import { Ledger, type Ack } from './ledger.ts';
import type { Options } from './options.ts';
import { query } from './query.ts';
import { randomOf } from './random.ts';
import type { Stage } from './stage.ts';
import type { Weather } from './weather.ts';

/** Single events a second, half of each ack that does not wait for the database. */
const RATE = 200;
const WARM_UP = 5000;
const AFTER = 5000;
/** How much longer the slowest hundredth may wait while the database is away. */
export const MAX_RATIO = 3;

type Phase = 'warm-up' | 'calm' | 'outage' | 'after';

export interface Outage extends Conclusion {
  scenario: 'outage';
  seed: number;
  how: 'refuse' | 'hang';
  /** seconds */
  outage: number;
  acks: ({ ack: Ack } & Comparison)[];
  /** ms by which the client's own event loop was late, 99th percentile */
  clientLag: Record<'calm' | 'outage', number>;
  /** ms from the end of the outage until the last of what was sent before was stored */
  drainedAfter: number;
}

/**
 * A constant load, whatever becomes of the answers, while the database is well, gone for as long, and well again: what
 * happens once in a while, such as a full collection of garbage, has its place in both. A latency counts from the instant at
 * which the event was to be sent until it was acknowledged, retries included.
 */
export async function outage(
  stage: Stage,
  seed: number,
  how: 'refuse' | 'hang',
  options: Options,
): Promise<Outage> {
  const ledger = new Ledger();
  const acks = options.acks.filter((ack) => ack !== 'committed');
  const latencies = new Map<string, Sample[]>();
  const stop = new AbortController();
  let phase: Phase = 'warm-up';
  const load = constantLoad(stage, ledger, {
    seed,
    acks,
    rate: RATE,
    stop: stop.signal,
    onAcknowledged: (ack, sentIn, sample) => {
      const key = `${sentIn} ${ack}`;
      const known = latencies.get(key);
      if (known === undefined) latencies.set(key, [sample]);
      else known.push(sample);
    },
    phase: () => phase,
  });

  async function during(next: Phase, ms: number, weather: Weather): Promise<number> {
    await stage.endpoint.ask(weather);
    phase = next;
    const lag = monitorEventLoopDelay({ resolution: 1 });
    lag.enable();
    await sleep(ms);
    lag.disable();
    // The histogram holds the timer's own millisecond too.
    return Math.max(0, lag.percentile(99) / 1e6 - 1);
  }
  await during('warm-up', WARM_UP, { kind: 'calm' });
  const calmLag = await during('calm', options.outage * 1000, { kind: 'calm' });
  const outageLag = await during('outage', options.outage * 1000, { kind: 'down', how });
  const endedAt = Date.now();
  await during('after', AFTER, { kind: 'calm' });
  stop.abort();
  await load;
  const conclusion = await conclude(stage, ledger);
  const of = (phase: Phase, ack: Ack) => latencies.get(`${phase} ${ack}`) ?? [];
  const compared = acks.map((ack) => {
    return { ack, ...compare(of('calm', ack), of('outage', ack), randomOf(seed, 'resamples')) };
  });
  return {
    scenario: 'outage',
    seed,
    how,
    outage: options.outage,
    acks: compared,
    clientLag: { calm: calmLag, outage: outageLag },
    drainedAfter: Math.max(0, (await lastStored(stage, endedAt)) - endedAt),
    ...conclusion,
  };
}

/** What of a run breaks the promise on latency; NaN, of no samples, does. */
export function tooSlow({ acks }: Outage): string[] {
  return acks
    .filter(({ ratio }) => !(ratio.value <= MAX_RATIO))
    .map(
      ({ ack, ratio }) =>
        `The p99 of ack=${ack} in the outage is ${ratio.value.toFixed(1)} times that of the calm before, ${MAX_RATIO} times at most is promised`,
    );
}

/** @returns when the last of the events that were made before `madeBefore` was stored; both ms since 1970 */
async function lastStored({ server }: Stage, madeBefore: number): Promise<number> {
  const [row] = await query<{ at: number | null }>(
    server,
    `SELECT extract(epoch FROM max(received_at))::float8 * 1000 AS at FROM audit.events
     WHERE workspace_id = 'faults' AND created_at < to_timestamp($1::float8 / 1000)`,
    [madeBefore],
  );
  return row?.at ?? 0;
}
