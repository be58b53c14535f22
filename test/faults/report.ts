import { readFile } from 'node:fs/promises';
import type { Estimate } from './latency.ts';
import { ACKS } from './ledger.ts';
import type { Mixed } from './mixed.ts';
import { MAX_RATIO, type Outage } from './outage.ts';
import type { Restarts } from './restarts.ts';

export type Run = (Mixed | Outage | Restarts) & {
  /** in all, the stage included */
  seconds: number;
  postgres: string;
};

/** What a run found, for people. */
export function describe(run: Run): string {
  const { verdict } = run;
  const byAck = (counts: Record<(typeof ACKS)[number], number>) =>
    ACKS.map((ack) => `${counts[ack]} ${ack}`).join(', ');
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .toSorted(([, a], [, b]) => b - a)
      .map(([name, count]) => `${count} × ${name}`)
      .join('; ') || 'none';
  const lines = [
    title(run),
    `  sent               ${verdict.sent} events in ${run.requests} requests; ${run.resends} requests again though acknowledged`,
    `  acknowledged       ${byAck(verdict.acknowledged)}; never: ${verdict.neverAcknowledged}`,
    `  stored             ${verdict.stored}; more than once: ${verdict.storedTwice}; changed: ${verdict.changed}; incomplete: ${verdict.incomplete}; not sent: ${verdict.strangers}`,
    `  lost               ${byAck(verdict.lost)}`,
    `  held by killed     ${byAck(verdict.heldByKilled)} (${run.kills} Workers killed); gone with them: ${byAck(verdict.goneWithKilled)}`,
    `  sent again for     ${list(run.retries)}`,
    `  faults             ${list(run.injected)}`,
    `  log of the Worker  ${list(run.lines)}`,
    `  time               all stored ${seconds(run.settledAfter)} after the load; ${run.seconds.toFixed(0)} s in all`,
    ...particulars(run),
    ...verdict.broken.map((promise) => `  BROKEN             ${promise}`),
    `  ${verdict.broken.length === 0 ? 'every promise kept' : 'PROMISES BROKEN'}`,
  ];
  return lines.join('\n');
}

function title(run: Run): string {
  if ('plan' in run) {
    const crashes = run.plan.filter((step) => step.do === 'crash').length;
    return `${run.scenario}, seed ${run.seed}: ${run.plan.length} steps, of them ${crashes} crashes of the server and ${run.kills} deaths of the Worker`;
  }
  if (run.scenario === 'restarts')
    return `restarts, seed ${run.seed}: the Worker is killed ${run.kills} times`;
  return `outage, seed ${run.seed}: the database is away for ${run.outage} s (${run.how})`;
}

function particulars(run: Run): string[] {
  if ('plan' in run) return [];
  if (run.scenario === 'restarts')
    return [`  recovery           an event stored at most ${seconds(run.slowestRecovery)} after a start`];
  return [
    ...run.acks.flatMap(({ ack, samples, p50, p99, ratio }) => [
      `  latency ${ack.padEnd(11)}p99 calm ${ms(p99.calm)}, p50 ${p50.calm.toFixed(1)} ms, n = ${samples.calm}; in the outage ${ms(p99.outage)}, p50 ${p50.outage.toFixed(1)} ms, n = ${samples.outage}`,
      `          ${' '.repeat(11)}ratio ${ratio.value.toFixed(2)} (95 %: ${ratio.low.toFixed(2)} – ${ratio.high.toFixed(2)}): ${verdictOn(ratio)}`,
    ]),
    `  client's own lag   p99 calm ${run.clientLag.calm.toFixed(1)} ms, in the outage ${run.clientLag.outage.toFixed(1)} ms`,
    `  backlog            gone ${seconds(run.drainedAfter)} after the outage`,
  ];
}

function ms({ value, low, high }: Estimate): string {
  return `${value.toFixed(1)} ms (95 %: ${low.toFixed(1)} – ${high.toFixed(1)})`;
}

function verdictOn({ value }: Estimate): string {
  return value <= MAX_RATIO ? `at most ${MAX_RATIO}, as promised` : `more than ${MAX_RATIO}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** What the suite ran on. */
export async function versions(): Promise<Record<string, string>> {
  const read = async (path: string) => {
    const { version } = JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8')) as {
      version: string;
    };
    return version;
  };
  return {
    daybook: await read('../../package.json'),
    node: process.versions.node,
    workerd: await read('../../node_modules/workerd/package.json'),
    wrangler: await read('../../node_modules/wrangler/package.json'),
    miniflare: await read('../../node_modules/miniflare/package.json'),
  };
}
