import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { connect } from '../src/db/client.ts';
import { migrate, readMigrations } from '../src/db/migrate.ts';
import { makeOwner } from '../src/local/dev-database.ts';
import { startServer } from '../test/support/postgres-server.ts';
import { median, ratios, summary } from './statistics.ts';

/**
 * `npm run bench:import`: the command `daybook import` of 100,000 rows of a SQLite database beside COPY of the rows that it
 * stored into the same tables of a twin, interleaved round by round. Method and results: docs/performance.md.
 * `--smoke` runs once, small, and judges no number.
 */

const smoke = process.argv.includes('--smoke');
const ROUNDS = smoke ? 1 : 5;
const ROWS = smoke ? 5000 : 100_000;
const DAYS = 60;
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
const source = join(directory, 'app.db');
fillSource(source);

const rates: Record<string, number[]> = { import: [], COPY: [], 'import again': [] };
try {
  await importRows('warm');
  await copyRows('warm');
  for (let round = 0; round < ROUNDS; round += 1) {
    const workspace = `round-${round}`;
    rates['import']?.push(ROWS / (await importRows(workspace)));
    rates['COPY']?.push(ROWS / (await copyRows(workspace)));
    rates['import again']?.push(ROWS / (await importRows(workspace)));
    process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  }
} finally {
  await Promise.all([admin, daybook, copied].map((connection) => connection.end()));
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
  await server.remove();
  await rm(directory, { recursive: true, force: true });
}

console.log(`\n${ROUNDS} interleaved rounds of ${ROWS} rows; median (min – max)\n`);
for (const [name, values] of Object.entries(rates))
  console.log(`${name.padEnd(16)} ${summary(values, 0)} rows/s`);
const ratio = ratios(rates['import'] ?? [], rates['COPY'] ?? []);
const verdict = smoke ? '' : `  goal ${GOAL}: ${median(ratio) >= GOAL ? 'met' : 'MISSED'}`;
console.log(`${'import to COPY'.padEnd(16)} ${summary(ratio, 2)}${verdict}`);

/** Runs the command as it is typed. @returns seconds, those of its start included */
async function importRows(workspace: string): Promise<number> {
  await settle(daybook);
  const args = ['--preset', 'desktop', '--from', source, '--workspace', workspace];
  const main = new URL('../src/cli/main.ts', import.meta.url).pathname;
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
async function copyRows(workspace: string): Promise<number> {
  await copied.query(
    `SELECT audit.make_partition(w.parent, w.at)
     FROM (
       SELECT parent, m FROM (VALUES ('events'), ('event_targets')) AS p (parent),
         generate_series(date_trunc('month', now() - interval '${DAYS + 1} days'), now(), '1 month') AS m
       UNION ALL SELECT 'event_ips', d FROM generate_series(date_trunc('day', now() - interval '${DAYS + 1} days'), now(), '1 day') AS d
     ) AS w (parent, at), LATERAL audit.partition_at(w.parent, w.at) AS p
     WHERE to_regclass('audit.' || p.name) IS NULL`,
  );
  const batches: { table: string; data: Buffer }[][] = [];
  for (const [table, id] of Object.entries(COPIED)) {
    const query = `COPY (SELECT * FROM audit.${table} WHERE workspace_id = '${workspace}' ORDER BY ${id}) TO STDOUT`;
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

/** Rows of about 500 bytes in the order of their time, as an app writes them. */
function fillSource(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(
    `CREATE TABLE audit_logs (
       id TEXT PRIMARY KEY, user_id TEXT NOT NULL, action TEXT NOT NULL, resource_type TEXT NOT NULL, resource_id TEXT,
       details TEXT, metadata TEXT, ip_address TEXT, user_agent TEXT, timestamp DATETIME NOT NULL);
     BEGIN`,
  );
  const insert = database.prepare('INSERT INTO audit_logs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const actions = ['TRANSACTION_UPDATE', 'LOGIN', 'CONTACT_UPDATE'];
  for (let row = 0; row < ROWS; row += 1) {
    const at = Date.now() - DAYS * 86_400_000 * (1 - row / ROWS);
    insert.run(
      `${row.toString(16).padStart(8, '0')}-77aa-4bbb-8ccc-1234567890ab`,
      `user_${row % 500}`,
      actions[row % 3] ?? 'LOGIN',
      'TRANSACTION',
      `tx_${row % 10_000}`,
      JSON.stringify({
        status: 'sent',
        amount: 1250,
        currency: 'EUR',
        before: { status: 'draft', amount: 1250 },
      }),
      JSON.stringify({ plan: 'enterprise', origin: 'desktop', attempt: row % 5 }),
      `203.0.113.${row % 250}`,
      'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
      new Date(at).toISOString().replace('T', ' ').replace('Z', ''),
    );
  }
  database.exec('COMMIT');
  database.close();
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
