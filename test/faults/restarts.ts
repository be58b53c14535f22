import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './client.ts';
import { conclude, type Conclusion } from './conclude.ts';
import { makeEvent } from './event.ts';
import { Ledger } from './ledger.ts';
import { fire } from './load.ts';
import type { Options } from './options.ts';
import { randomOf } from './random.ts';
import { restartWorker } from './restart.ts';
import type { Stage } from './stage.ts';
import { missing } from './stored.ts';

const RATE = 300;
const MAX_EVENTS = 1_000_000;
/** ms within which a Worker that has just started must have stored an event */
const PATIENCE = 15_000;
/** ms after the last restart in which each event must have been acknowledged */
const GRACE = 60_000;

export interface Restarts extends Conclusion {
  scenario: 'restarts';
  seed: number;
  /** ms from the start of a Worker until it had stored an event, the longest of all */
  slowestRecovery: number;
}

/** The Worker is killed again and again under load; after each time an event must be committed at once. */
export async function restarts(stage: Stage, seed: number, options: Options): Promise<Restarts> {
  const ledger = new Ledger();
  const stop = new AbortController();
  const giveUp = new AbortController();
  const broken: string[] = [];
  let slowestRecovery = 0;

  async function killAgainAndAgain(): Promise<void> {
    const random = randomOf(seed, 'kills');
    for (let kill = 1; kill <= options.restarts; kill += 1) {
      await sleep(random.between(100, 1000));
      await restartWorker(stage, ledger);
      const startedAt = ledger.now();
      if (!(await works(stage, ledger, seed + kill)))
        broken.push(`after restart ${kill} no event was stored`);
      slowestRecovery = Math.max(slowestRecovery, ledger.now() - startedAt);
    }
    stop.abort();
    setTimeout(() => giveUp.abort(), GRACE).unref();
  }
  const load = fire(stage, ledger, {
    seed,
    clients: options.clients,
    events: MAX_EVENTS,
    perSecond: RATE,
    acks: options.acks,
    stop: stop.signal,
    giveUp: giveUp.signal,
  });
  await Promise.all([load, killAgainAndAgain()]);
  const conclusion = await conclude(stage, ledger);
  conclusion.verdict.broken.push(...broken);
  return { scenario: 'restarts', seed, slowestRecovery, ...conclusion };
}

async function works(stage: Stage, ledger: Ledger, seed: number): Promise<boolean> {
  const client = new Client(stage, ledger, randomOf(seed, 'probe'));
  const event = makeEvent(seed, MAX_EVENTS);
  ledger.send(event);
  await client.send([event], 'committed', AbortSignal.timeout(PATIENCE));
  client.close();
  return (await missing(stage.server, [event.id])).length === 0;
}
