import { createServer } from 'node:http';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import pino from 'pino';
import { createAudit, type Receipt } from '../src/client/index.ts';
import { typicalEvent } from './events.ts';
import { median, ratios, summary } from './statistics.ts';

/**
 * `npm run bench:client`: what `audit.log` costs its caller, beside pino's own `log.info` of the same event, interleaved round
 * by round. Each call is timed alone; between groups of calls the event loop turns, so that batches are sent meanwhile, to a
 * server in a process of its own. Method and results: docs/performance.md.
 */

const ROUNDS = 7;
const GROUPS = 200;
const CALLS = 50;
const GOAL = 20;

/** Answers each batch as stored. */
async function serve(): Promise<void> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { events } = JSON.parse(Buffer.concat(chunks).toString()) as { events: { id: string }[] };
    const receipt = (id: string): Receipt => {
      return { id, workspace_id: 'acme', created_at: '', result: 'committed', redacted: [], leaf_hash: '' };
    };
    const results = events.map(({ id }, index) => ({ index, result: 'committed', receipt: receipt(id) }));
    response.end(JSON.stringify({ results }));
  });
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
}

/** Without an id: the client makes it. */
function eventOf(index: number) {
  return { ...typicalEvent(index), id: undefined };
}
type Event = ReturnType<typeof eventOf>;

/** @returns µs of each call */
async function time(call: (event: Event) => void): Promise<number[]> {
  const times: number[] = [];
  for (let group = 0; group < GROUPS; group += 1) {
    const events = Array.from({ length: CALLS }, (_, index) => eventOf(group * CALLS + index));
    for (const event of events) {
      const startedAt = process.hrtime.bigint();
      call(event);
      times.push(Number(process.hrtime.bigint() - startedAt) / 1000);
    }
    await turn();
  }
  return times.sort((a, b) => a - b);
}

async function main(): Promise<void> {
  const child = fork(new URL(import.meta.url), ['--serve']);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const audit = createAudit({ url: `http://127.0.0.1:${port}`, apiKey: 'dbk_bench' });
  const logger = pino(pino.destination({ dest: '/dev/null', sync: false }));
  const results: Record<string, number[]> = {};
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, call] of [
      ['audit.log', (event: Event) => audit.log(event)],
      ['pino', (event: Event) => logger.info(event)],
    ] as const) {
      const times = await time(call);
      await audit.flush();
      // The first round warms up.
      if (round === 0) continue;
      (results[`${name}, p50`] ??= []).push(times[times.length >> 1] ?? NaN);
      (results[`${name}, p99`] ??= []).push(times[Math.floor(times.length * 0.99)] ?? NaN);
    }
  }
  console.log(`${ROUNDS} interleaved rounds of ${GROUPS * CALLS} calls; median (min – max), µs\n`);
  for (const [name, values] of Object.entries(results)) console.log(name.padEnd(20), summary(values, 2));
  const ofAudit = results['audit.log, p99'] ?? [];
  console.log(
    '\nratio of p99, audit.log to pino'.padEnd(36),
    summary(ratios(ofAudit, results['pino, p99'] ?? []), 2),
  );
  console.log(`audit.log under ${GOAL} µs at p99: ${median(ofAudit) < GOAL ? 'met' : 'MISSED'}`);
  const { stored, dropped } = audit.counts;
  if (dropped > 0 || stored !== (ROUNDS + 1) * GROUPS * CALLS)
    throw new Error(`not all was stored: ${stored}`);
  child.kill();
}

await (process.argv.includes('--serve') ? serve() : main());
