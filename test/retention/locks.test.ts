import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeId } from '../../src/events/id.ts';
import { runRetention } from '../../src/retention/run.ts';
import { DAY, partitionsFor } from '../support/aged.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { appendStatement, withAddress } from '../support/rows.ts';
import { openSession } from '../support/session.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase('postgres');
});
afterAll(() => database.close());

/** Fills a day long ago with addresses. @returns its partition */
async function aFullDay(daysAgo: number, rows: number): Promise<string> {
  const at = Math.floor(Date.now() / DAY) * DAY - daysAgo * DAY;
  const [name] = await partitionsFor(database, at, ['event_ips']);
  const owner = await openSession(database, 'owner');
  await owner.query(
    `INSERT INTO audit.${name} (workspace_id, event_id, created_at, ip_address, salt)
     SELECT 'acme', lpad(to_hex(n), 32, '0')::uuid, $1::timestamptz + n * interval '1 ms', '10.0.0.0'::inet + n, '\\x${'00'.repeat(16)}'
     FROM generate_series(1, $2::int) n`,
    [new Date(at), rows],
  );
  await owner.end();
  return String(name);
}

/**
 * Watches the locks on a table as fast as the server can, until an exclusive one came and went.
 * Answers ms: how long it was held, or the longest time between two looks where it was too short to be seen.
 */
const WATCH = `
  CREATE FUNCTION pg_temp.watch(parent regclass, until text) RETURNS float8 LANGUAGE plpgsql AS $$
  DECLARE
    first timestamptz; last timestamptz; look timestamptz := clock_timestamp(); gap interval := '0';
    deadline timestamptz := look + interval '20 s';
  BEGIN
    PERFORM pg_advisory_lock(4242);
    LOOP
      gap := greatest(gap, clock_timestamp() - look);
      look := clock_timestamp();
      IF EXISTS (SELECT FROM pg_locks WHERE relation = parent AND mode = 'AccessExclusiveLock' AND granted) THEN
        first := coalesce(first, look);
        last := clock_timestamp();
      ELSE
        EXIT WHEN first IS NOT NULL OR look > deadline
          OR NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(until));
      END IF;
    END LOOP;
    PERFORM pg_advisory_unlock(4242);
    RETURN extract(epoch FROM greatest(gap, coalesce(last - first, '0'))) * 1000;
  END $$`;

/** Detaches a day as retention does, watched from another session. @returns ms */
async function detachWatched(partition: string): Promise<{ watched: number; transaction: number }> {
  const [watcher, worker] = [await openSession(database, 'superuser'), await openSession(database, 'app')];
  try {
    const run = makeId(Date.now());
    await worker.query(`SELECT audit.begin_retention($1, 'cron')`, [run]);
    await watcher.query(WATCH);
    const watch = watcher.query(`SELECT pg_temp.watch('audit.event_ips', $1) AS ms`, [`audit.${partition}`]);
    while ((await worker.query('SELECT FROM pg_locks WHERE objid = 4242 AND granted')).rowCount === 0)
      await pause(1);
    const detached = await worker.query(
      `SELECT audit.do_retention($1, 'detach', $2) AS done, extract(epoch FROM clock_timestamp() - statement_timestamp())::float8 * 1000 AS ms`,
      [run, partition],
    );
    expect(detached.rows[0].done).toEqual({ task: 'detach', partition });
    return { watched: (await watch).rows[0].ms, transaction: detached.rows[0].ms };
  } finally {
    await Promise.all([watcher.end(), worker.end()]);
  }
}

async function attachAgain(partition: string, daysAgo: number): Promise<void> {
  await database.owner.query(
    `DO $$ BEGIN
       EXECUTE (SELECT format('ALTER TABLE audit.event_ips ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)', p.name, p.lower_bound, p.upper_bound)
                FROM audit.partition_at('event_ips', now() - interval '${daysAgo} days') p WHERE p.name = '${partition}');
     END $$`,
  );
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

it.each([
  [1_000, 101],
  [1_000_000, 102],
])(
  'detaching a day holds the lock on its parent for less than 50 ms with %i addresses',
  async (rows, daysAgo) => {
    const partition = await aFullDay(daysAgo, rows);
    const times: { watched: number; transaction: number }[] = [];
    for (let round = 0; round < 5; round += 1) {
      if (round > 0) await attachAgain(partition, daysAgo);
      times.push(await detachWatched(partition));
    }
    // Of five, for a single one may meet whatever else the machine is busy with.
    expect(median(times.map(({ watched }) => watched))).toBeLessThan(50);
    expect(median(times.map(({ transaction }) => transaction))).toBeLessThan(50);
    const [left] = await database.owner.query(`SELECT count(*)::int AS n FROM audit.${partition}`);
    expect(left?.['n']).toBe(rows);
  },
  120_000,
);

/** Appends events one by one until it is stopped. @returns ms that each took */
function keepAppending(session: pg.Client): { stop(): Promise<number[]> } {
  const stopping = new AbortController();
  const work = (async () => {
    const latencies: number[] = [];
    while (!stopping.signal.aborted) {
      const start = performance.now();
      const { rows } = await session.query(appendStatement([withAddress('192.0.2.1')]));
      latencies.push(performance.now() - start);
      expect(rows).toEqual([{ not_stored: [] }]);
      await pause(2);
    }
    return latencies;
  })();
  return {
    stop: () => {
      stopping.abort();
      return work;
    },
  };
}

it('goes on behind long readers: no insert waits for it, and what had to wait is done by the next run', async () => {
  const { owner, app } = database;
  await runRetention(app, 'cron');
  // Due: partitions of each kind to create, a month and a day to detach, and a day to drop.
  const detached = await aFullDay(103, 10);
  await owner.query(`ALTER TABLE audit.event_ips DETACH PARTITION audit.${detached}`);
  const day = await aFullDay(104, 10);
  const [month] = await partitionsFor(database, Date.now() - 800 * DAY, ['events']);
  await owner.query('UPDATE audit.settings SET months_ahead = 5, days_ahead = 37');

  const readingSince = performance.now();
  const readers = await Promise.all([openSession(database, 'owner'), openSession(database, 'owner')]);
  for (const [index, table] of ['events', 'event_ips'].entries()) {
    await readers[index]?.query('BEGIN');
    await readers[index]?.query(`SELECT count(*) FROM audit.${table}`);
  }
  const inserters = [await openSession(database, 'app'), await openSession(database, 'app')];
  const appending = inserters.map(keepAppending);
  const { steps, postponed } = await runRetention(app, 'cron');
  // Runs go on trying for as long as the readers are there: ten seconds.
  while (performance.now() - readingSince < 10_000) {
    expect(await runRetention(app, 'cron')).toMatchObject({ steps: [], postponed });
  }
  const latencies = (await Promise.all(appending.map((work) => work.stop()))).flat();

  // The readers were there all the time.
  const open = await owner.query(
    `SELECT FROM pg_stat_activity WHERE state = 'idle in transaction' AND usename = 'daybook_owner'`,
  );
  expect(open).toHaveLength(2);
  expect(latencies.length).toBeGreaterThan(100);
  expect(Math.max(...latencies)).toBeLessThan(500);

  const count = (task: string) => steps.filter((step) => step.task === task).length;
  expect([count('create'), count('detach')]).toEqual([2 + 2 + 2, 0]);
  expect(steps).toContainEqual({ task: 'drop', partition: detached });
  const reason = 'the lock was held';
  expect(postponed).toEqual([
    { task: 'detach', partition: month, reason },
    { task: 'detach', partition: day, reason },
  ]);
  const [recorded] = await owner.query(
    'SELECT postponed FROM audit.retention_runs ORDER BY started_at DESC LIMIT 1',
  );
  expect(recorded).toEqual({ postponed });

  for (const session of readers) await session.query('COMMIT');
  await Promise.all([...readers, ...inserters].map((session) => session.end()));
  const next = await runRetention(app, 'cron');
  expect(next.postponed).toEqual([]);
  expect(next.steps).toEqual(
    ['detach', 'drop'].flatMap((task) => [month, day].map((partition) => ({ task, partition }))),
  );
}, 120_000);

it('deletes expired rows without waiting for one that is in use, which goes with the next run', async () => {
  const { owner, app } = database;
  await owner.query(
    `INSERT INTO audit.idempotency_keys (workspace_id, key, body_hash, receipt, created_at)
     SELECT 'acme', n::text, sha256(''), '{}', now() - interval '3 days' FROM generate_series(1, 3) n`,
  );
  const user = await openSession(database, 'owner');
  await user.query('BEGIN');
  await user.query(`SELECT FROM audit.idempotency_keys WHERE key = '2' FOR UPDATE`);
  const expired = (rows: number) => ({
    steps: [{ task: 'expire', partition: 'idempotency_keys', rows }],
    postponed: [],
  });
  expect(await runRetention(app, 'cron')).toMatchObject(expired(2));
  expect(await owner.query('SELECT key FROM audit.idempotency_keys')).toEqual([{ key: '2' }]);
  await user.query('COMMIT');
  await user.end();
  expect(await runRetention(app, 'cron')).toMatchObject(expired(1));
});
