import { judge, type Verdict } from './judge.ts';
import type { Ledger } from './ledger.ts';
import { query } from './query.ts';
import { settle } from './settle.ts';
import type { Stage } from './stage.ts';
import { readStored } from './stored.ts';

/** What every scenario reports. */
export interface Conclusion {
  verdict: Verdict;
  requests: number;
  /** events that were sent again although they were acknowledged */
  resends: number;
  /** events that were sent again because they were not, by reason */
  retries: Record<string, number>;
  /** faults of the wire, by kind */
  injected: Record<string, number>;
  /** lines of the Worker's log, by event */
  lines: Record<string, number>;
  /** lives of the Worker that were ended */
  kills: number;
  /** ms from the end of the load until the last event was stored */
  settledAfter: number;
}

/** Waits until all has settled, and judges. The weather must be calm. */
export async function conclude(stage: Stage, ledger: Ledger): Promise<Conclusion> {
  const settledAfter = await settle(stage, ledger);
  const lines = await stage.worker.lines();
  const { injected } = await stage.endpoint.ask({ kind: 'calm' });
  const verdict = judge({
    ledger,
    stored: await readStored(stage.server),
    deadLetters: await deadLetters(stage),
    lines,
    missingPartitions: await count(
      stage,
      `SELECT count(*)::int AS count FROM audit.retention_due WHERE task = 'create'`,
    ),
  });
  const { requests, resends, retries } = ledger;
  return {
    verdict,
    requests,
    resends,
    retries,
    injected,
    lines,
    kills: ledger.held.size,
    settledAfter,
  };
}

async function deadLetters(stage: Stage): Promise<number> {
  const there = await count(stage, `SELECT (to_regclass('audit.dead_letters') IS NOT NULL)::int AS count`);
  return there === 0 ? 0 : count(stage, 'SELECT count(*)::int AS count FROM audit.dead_letters');
}

async function count({ server }: Stage, text: string): Promise<number> {
  const [row] = await query<{ count: number }>(server, text);
  return row?.count ?? 0;
}
