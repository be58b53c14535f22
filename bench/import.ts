import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { connect } from '../src/db/client.ts';
import { migrate, readMigrations } from '../src/db/migrate.ts';
import { makeOwner } from '../src/local/dev-database.ts';
import { startServer } from '../test/support/postgres-server.ts';
import { ordinaryLog, productLogs, type BenchSource } from './import-sources.ts';
import { median, ratios, summary } from './statistics.ts';

/**
 * `npm run bench:import`: the command `daybook import` of 100,000 rows of a SQLite database beside COPY of the rows that it
 * stored into the same tables of a twin, interleaved round by round. Method and results: docs/performance.md.
 * `--sources` takes the tables of the five products in its place; `--smoke` runs once, small, and judges no number.
 */

const smoke = process.argv.includes('--smoke');
const ofProducts = process.argv.includes('--sources');
const ROUNDS = smoke ? 1 : ofProducts ? 3 : 5;
const ROWS = smoke ? 5000 : 100_000;
const GOAL = 0.5;
/** events in a transaction, as `npm run bench` has it */
const COPY_BATCH = 1000;

/** Tables that an imported event is written to, and the column that holds its id. */
const COPIED = { events: 'id', event_ips: 'event_id', log_pending: 'id' };

const directory = await mkdtemp(join(tmpdir(), 'daybook-bench-'));
const server = await startServer({ durable: true });
const child = fork(new URL('endpoint-process.ts', import.meta.url), [String(server.port)]);
const [{ url: endpoint }] = (await once(child, 'message')) as [{ url: string }];
const admin = await client('postgres');
const ownerUrl = await makeOwner(server.superuser, endpoint);
for (const name of ['daybook', 'copied']) {
  await admin.query(`CREATE DATABASE ${name} OWNER daybook_owner`);
  await migrate(connect({ url: databaseUrl(name), localEndpoint: endpoint }), await readMigrations());
}
const [daybook, copied] = [await client('daybook'), await client('copied')];
try {
  const sources = ofProducts ? await productLogs(directory, ROWS, server) : [ordinaryLog(directory, ROWS)];
  for (const [index, source] of sources.entries()) await compare(source, index);
} finally {
  await Promise.all([admin, daybook, copied].map((connection) => connection.end()));
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
  await server.remove();
  await rm(directory, { recursive: true, force: true });
}

async function compare({ title, round }: BenchSource, index: number): Promise<void> {
  const rates: Record<string, number[]> = { import: [], COPY: [], 'import again': [] };
  const warm = await round(`warm-${index}`);
  await importRows(warm.args);
  await copyRows(warm.workspaces);
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    const { args, workspaces } = await round(`round-${index}-${turn}`);
    rates['import']?.push(ROWS / (await importRows(args)));
    rates['COPY']?.push(ROWS / (await copyRows(workspaces)));
    rates['import again']?.push(ROWS / (await importRows(args)));
    process.stderr.write(`round ${turn + 1} of ${ROUNDS}\n`);
  }
  console.log(`\n${title}: ${ROUNDS} interleaved rounds of ${ROWS} rows; median (min – max)\n`);
  for (const [name, values] of Object.entries(rates))
    console.log(`${name.padEnd(16)} ${summary(values, 0)} rows/s`);
  const ratio = ratios(rates['import'] ?? [], rates['COPY'] ?? []);
  const verdict = smoke ? '' : `  goal ${GOAL}: ${median(ratio) >= GOAL ? 'met' : 'MISSED'}`;
  console.log(`${'import to COPY'.padEnd(16)} ${summary(ratio, 2)}${verdict}`);
}

/** Runs the command of the package, as it is installed. @returns seconds, those of its start included */
async function importRows(args: string[]): Promise<number> {
  await settle(daybook);
  const main = new URL('../dist/cli/main.js', import.meta.url).pathname;
  const startedAt = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'import', ...args], {
    cwd: directory,
    env: { ...process.env, DATABASE_URL: databaseUrl('daybook'), DAYBOOK_LOCAL_DATABASE: endpoint },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  if (!stdout.includes(ROWS.toLocaleString('en-US')) || /rejected +[1-9]/.test(stdout))
    throw new Error(stdout);
  return seconds;
}

/** Reads what was stored of a workspace as COPY data, and times a COPY of it into the twin's tables, 1,000 events a transaction. */
async function copyRows(workspaces: readonly string[]): Promise<number> {
  const { rows: partitions } = await daybook.query(
    `SELECT parent, lower_bound FROM audit.partitions WHERE attached AND lower_bound > '-infinity' AND to_regclass('audit.' || parent) IS NOT NULL`,
  );
  await copied.query(
    `SELECT audit.make_partition(w.parent, w.at)
     FROM unnest($1::text[], $2::timestamptz[]) AS w (parent, at), LATERAL audit.partition_at(w.parent, w.at) AS p
     WHERE to_regclass('audit.' || p.name) IS NULL`,
    [partitions.map(({ parent }) => parent), partitions.map(({ lower_bound: bound }) => bound)],
  );
  const batches: { table: string; data: Buffer }[][] = [];
  for (const [table, id] of Object.entries(COPIED)) {
    // Events in the order of the source, as the import has them: what is in the order of time is stored faster.
    const order = ofProducts && table === 'events' ? 'source_id' : id;
    const among = workspaces.map((workspace) => `'${workspace}'`).join();
    const query = `COPY (SELECT * FROM audit.${table} WHERE workspace_id IN (${among}) ORDER BY ${order}) TO STDOUT`;
    const chunks: Buffer[] = [];
    for await (const chunk of daybook.query(copyTo(query))) chunks.push(chunk as Buffer);
    for (const [batch, data] of inBatches(Buffer.concat(chunks)).entries())
      (batches[batch] ??= []).push({ table, data });
  }
  await settle(copied);
  const startedAt = performance.now();
  for (const batch of batches) {
    await copied.query('BEGIN');
    for (const { table, data } of batch)
      await pipeline(Readable.from([data]), copied.query(copyFrom(`COPY audit.${table} FROM STDIN`)));
    await copied.query('COMMIT');
  }
  return (performance.now() - startedAt) / 1000;
}

/** COPY data has a row on each line; every table has a row of every event. */
function inBatches(data: Buffer): Buffer[] {
  const batches: Buffer[] = [];
  let from = 0;
  let lines = 0;
  for (let end = data.indexOf(0x0a); end !== -1; end = data.indexOf(0x0a, end + 1)) {
    lines += 1;
    if (lines % COPY_BATCH !== 0) continue;
    batches.push(data.subarray(from, end + 1));
    from = end + 1;
  }
  if (from < data.length) batches.push(data.subarray(from));
  return batches;
}

/** Leaves no checkpoint of one contender for the next to pay. */
async function settle(connection: pg.Client): Promise<void> {
  await connection.query('CHECKPOINT');
}

function databaseUrl(name: string): string {
  return Object.assign(new URL(ownerUrl), { pathname: `/${name}` }).href;
}

async function client(database: string): Promise<pg.Client> {
  const { user, password } = server.superuser;
  const connection = new pg.Client({ host: '127.0.0.1', port: server.port, user, password, database });
  await connection.connect();
  return connection;
}
