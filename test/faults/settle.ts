import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from './ledger.ts';
import type { Stage } from './stage.ts';
import { missing } from './stored.ts';

/** ms without any progress after which what is missing counts as lost; the Queue waits up to a minute between attempts */
const PATIENCE = 120_000;
/** ms without a call of the database after which nobody is at work any more */
const QUIET = 2000;
const QUIET_PATIENCE = 20_000;

/**
 * Waits until all that is owed is stored, or until nothing has changed for two minutes; and then until the Worker makes no
 * more calls, for a late one may still store something twice.
 * @returns ms until the last event that came was there
 */
export async function settle(stage: Stage, ledger: Ledger): Promise<number> {
  const startedAt = ledger.now();
  let open = ledger.owed();
  let changedAt = startedAt;
  while (open.length > 0 && ledger.now() - changedAt < PATIENCE) {
    const left = await missing(stage.server, open);
    if (left.length < open.length) changedAt = ledger.now();
    open = left;
    if (open.length > 0) await sleep(250);
  }
  await untilQuiet(stage);
  return changedAt - startedAt;
}

async function untilQuiet({ endpoint }: Stage): Promise<void> {
  const until = performance.now() + QUIET_PATIENCE;
  let { calls } = await endpoint.ask({ kind: 'calm' });
  while (performance.now() < until) {
    await sleep(QUIET);
    const now = (await endpoint.ask({ kind: 'calm' })).calls;
    if (now === calls) return;
    calls = now;
  }
}
