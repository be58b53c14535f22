import type { Ledger } from './ledger.ts';
import type { Stage } from './stage.ts';
import { missing } from './stored.ts';

/**
 * Kills the Worker and starts it again. What it had acknowledged and not stored goes into the ledger before anyone else can
 * store it: the local platform keeps the Queue in the memory of the process that is killed.
 */
export async function restartWorker({ worker, server }: Stage, ledger: Ledger): Promise<void> {
  const { life } = worker;
  await worker.kill();
  ledger.held.set(life, new Set(await missing(server, ledger.promisedBy(life))));
  await worker.start();
}
