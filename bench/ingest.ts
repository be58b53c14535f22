import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { typicalEvent } from './events.ts';
import { fire, type Shot } from './load.ts';
import { setStage, type Stage } from './stage.ts';
import { median, ratios, summary } from './statistics.ts';

/**
 * `npm run bench`: batch and single-event ingest beside what they are to be compared with, interleaved round by round in
 * one run on one machine. Method and results: docs/performance.md. `--smoke` runs once, small, and judges no number.
 */

const smoke = process.argv.includes('--smoke');
const ROUNDS = smoke ? 1 : 7;
const BATCHES = smoke ? 4 : 60;
const BATCH_SIZE = 1000;
const BATCH_CLIENTS = 4;
const SINGLES = smoke ? 500 : 4000;
const SINGLE_CLIENTS = 50;

const results: Record<string, number[]> = {};
let produced = 0;

function record(name: string, value: number): void {
  (results[name] ??= []).push(value);
}

function batchShots({ key }: Stage, batches: number): Shot[] {
  return Array.from({ length: batches }, () => {
    const events = Array.from({ length: BATCH_SIZE }, () => typicalEvent((produced += 1)));
    return {
      path: '/v1/events/batch?ack=committed',
      body: Buffer.from(JSON.stringify({ events })),
      headers: { Authorization: `Bearer ${key}` },
    };
  });
}

function shotsTo(path: string, headers: Record<string, string> = {}, count = SINGLES): Shot[] {
  return Array.from({ length: count }, () => ({
    path,
    headers,
    body: Buffer.from(JSON.stringify(typicalEvent((produced += 1)))),
  }));
}

function singleShots({ key }: Stage, ack: string, count = SINGLES): Shot[] {
  return shotsTo(`/v1/events?ack=${ack}`, { Authorization: `Bearer ${key}` }, count);
}

/** Tables that a batch of events is written to, and the column that holds the event's id. */
const COPIED = { events: 'id', event_ips: 'event_id', log_pending: 'id' };

/** Reads what Daybook stored since `since` as COPY data of 1,000 events each, and times a COPY of each into the same tables. */
async function copyAgain(stage: Stage, since: string): Promise<number> {
  const { rows } = await stage.daybook.query<{ id: string }>(
    `SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM audit.events WHERE received_at > $1) e
     WHERE n % ${BATCH_SIZE} = 1 ORDER BY id`,
    [since],
  );
  const bounds = [...rows.map(({ id }) => id), 'ffffffff-ffff-ffff-ffff-ffffffffffff'];
  const batches: { table: string; data: Buffer }[][] = [];
  for (const [index, from] of bounds.slice(0, -1).entries()) {
    const batch: { table: string; data: Buffer }[] = [];
    for (const [table, id] of Object.entries(COPIED)) {
      const query = `COPY (SELECT * FROM audit.${table} WHERE ${id} >= '${from}' AND ${id} < '${bounds[index + 1]}') TO STDOUT`;
      const chunks: Buffer[] = [];
      for await (const chunk of stage.daybook.query(copyTo(query))) chunks.push(chunk as Buffer);
      batch.push({ table, data: Buffer.concat(chunks) });
    }
    batches.push(batch);
  }
  await settle(stage.copy);
  const startedAt = performance.now();
  for (const batch of batches) {
    await stage.copy.query('BEGIN');
    for (const { table, data } of batch) {
      await pipeline(Readable.from([data]), stage.copy.query(copyFrom(`COPY audit.${table} FROM STDIN`)));
    }
    await stage.copy.query('COMMIT');
  }
  return (performance.now() - startedAt) / 1000;
}

/** Leaves no checkpoint or vacuum of one contender for the next to pay. */
async function settle(connection: pg.Client): Promise<void> {
  await connection.query('CHECKPOINT');
}

async function now(connection: pg.Client): Promise<string> {
  const { rows } = await connection.query<{ now: string }>('SELECT clock_timestamp()::text AS now');
  return rows[0]?.now ?? '';
}

async function stored(connection: pg.Client, table: string): Promise<number> {
  const { rows } = await connection.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]?.count ?? 0;
}

async function batchRound(stage: Stage): Promise<void> {
  const shots = batchShots(stage, BATCHES);
  await settle(stage.daybook);
  const since = await now(stage.daybook);
  const seconds = await fire(stage.daybookUrl, shots, BATCH_CLIENTS, 201);
  record('batch: Daybook', (BATCHES * BATCH_SIZE) / seconds);
  record('batch: COPY', (BATCHES * BATCH_SIZE) / (await copyAgain(stage, since)));
}

async function singleRound(stage: Stage): Promise<void> {
  const contenders = {
    Daybook: async () => {
      const shots = singleShots(stage, 'accepted');
      const before = await stored(stage.daybook, 'audit.events');
      const seconds = await fire(stage.daybookUrl, shots, SINGLE_CLIENTS, 202);
      const startedAt = performance.now();
      while ((await stored(stage.daybook, 'audit.events')) < before + SINGLES)
        await new Promise((resolve) => setTimeout(resolve, 5));
      // An answer before the write is worth little if the writes fall behind: the time until all is stored counts.
      record('single: Daybook, until stored', SINGLES / (seconds + (performance.now() - startedAt) / 1000));
      return seconds;
    },
    naive: () => fire(stage.naiveUrl, shotsTo('/naive'), SINGLE_CLIENTS, 201),
    'parse only': () => fire(stage.naiveUrl, shotsTo('/parse'), SINGLE_CLIENTS, 202),
  };
  for (const [name, run] of Object.entries(contenders)) record(`single: ${name}`, SINGLES / (await run()));
}

const stage = await setStage();
try {
  // Long enough for V8 to have optimised every path: in a smoke run this is the check that no answer stays out then.
  await fire(
    stage.daybookUrl,
    singleShots(stage, 'committed', smoke ? 20_000 : SINGLES),
    SINGLE_CLIENTS,
    201,
  );
  // Warm caches, JIT and plans; not counted.
  await fire(stage.daybookUrl, batchShots(stage, smoke ? 1 : 10), BATCH_CLIENTS, 201);
  await singleRound(stage);
  for (const name of Object.keys(results)) delete results[name];
  for (let round = 0; round < ROUNDS; round += 1) {
    await batchRound(stage);
    await singleRound(stage);
    process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  }
} finally {
  await stage.close();
}

console.log(`\n${ROUNDS} interleaved rounds; median (min – max)\n`);
for (const [name, values] of Object.entries(results))
  console.log(`${name.padEnd(32)} ${summary(values, 0)} /s`);
console.log('\nratios, round by round\n');
const compared: [string, string, string, number | undefined][] = [
  ['batch: Daybook to COPY', 'batch: Daybook', 'batch: COPY', 0.5],
  ['batch: Daybook to naive', 'batch: Daybook', 'single: naive', undefined],
  ['single: Daybook to naive', 'single: Daybook', 'single: naive', 1.3],
  ['single: until stored to naive', 'single: Daybook, until stored', 'single: naive', undefined],
  ['single: Daybook to parse only', 'single: Daybook', 'single: parse only', undefined],
];
for (const [name, ours, theirs, goal] of compared) {
  const values = ratios(results[ours] ?? [], results[theirs] ?? []);
  const verdict =
    goal === undefined || smoke ? '' : `  goal ${goal}: ${median(values) >= goal ? 'met' : 'MISSED'}`;
  console.log(`${name.padEnd(32)} ${summary(values, 2)}${verdict}`);
}
