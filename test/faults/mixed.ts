import { setTimeout as sleep } from 'node:timers/promises';
import { conclude, type Conclusion } from './conclude.ts';
import { Ledger } from './ledger.ts';
import { fire } from './load.ts';
import type { Options } from './options.ts';
import { planMixed, type Step } from './plan.ts';
import { restartWorker } from './restart.ts';
import type { Stage } from './stage.ts';

/** Events a second: so many take 20 clients through the faults without falling behind. */
const RATE = 600;
const MIN_DURATION = 10_000;
/** ms after the last fault in which a client must have got its acknowledgement */
const GRACE = 90_000;

export interface Mixed extends Conclusion {
  /** `database`: without deaths of the Worker, for `accepted` promises nothing beyond its isolate */
  scenario: 'mixed' | 'database';
  seed: number;
  plan: Step[];
}

/** Every kind of fault, by the seed's plan, while the clients send. */
export async function mixed(
  stage: Stage,
  seed: number,
  options: Options,
  scenario: Mixed['scenario'],
): Promise<Mixed> {
  const ledger = new Ledger();
  const duration = Math.max(MIN_DURATION, (options.events * 1000) / RATE);
  const plan = planMixed(seed, duration, { kills: scenario === 'mixed' });
  const giveUp = new AbortController();
  const load = fire(stage, ledger, {
    seed,
    clients: options.clients,
    events: options.events,
    perSecond: (options.events * 1000) / duration,
    acks: options.acks,
    stop: giveUp.signal,
    giveUp: giveUp.signal,
  });
  const following = follow(stage, ledger, plan).then(() => setTimeout(() => giveUp.abort(), GRACE).unref());
  await Promise.all([load, following]);
  return { scenario, seed, plan, ...(await conclude(stage, ledger)) };
}

/** Does each step in its time, and waits for crashes and deaths to be over. */
async function follow(stage: Stage, ledger: Ledger, plan: readonly Step[]): Promise<void> {
  const deeds: Promise<unknown>[] = [];
  for (const step of plan) {
    await sleep(Math.max(0, step.at - ledger.now()));
    const deed = carryOut(stage, ledger, step);
    // Told of below; until then it must not end the process.
    deed.catch(() => {});
    deeds.push(deed);
  }
  await Promise.all(deeds);
}

async function carryOut(stage: Stage, ledger: Ledger, step: Step): Promise<unknown> {
  switch (step.do) {
    case 'weather':
      return stage.endpoint.ask(step.weather);
    case 'kill':
      return restartWorker(stage, ledger);
    case 'crash':
      await stage.server.crash();
      await sleep(step.downMs);
      return stage.server.start();
  }
}
