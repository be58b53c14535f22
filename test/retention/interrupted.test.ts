import { NeonDbError } from '@neondatabase/serverless';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { diagnose } from '../../src/db/doctor/compare.ts';
import snapshot from '../../src/db/doctor/schema-snapshot.json' with { type: 'json' };
import { readMigrations } from '../../src/db/migrate.ts';
import { makeId } from '../../src/events/id.ts';
import type { Fault } from '../../src/local/fault.ts';
import { runRetention, type Step } from '../../src/retention/run.ts';
import { DAY, HOUR, partitionsFor } from '../support/aged.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase('postgres');
});
afterAll(() => database.close());
afterEach(() => {
  database.endpoint.intercept = undefined;
});

const due = () => database.owner.query('SELECT task, partition FROM audit.retention_due');
const key = ({ task, partition }: Step) => `${task} ${partition}`;

/** Makes two days to forget and one to create. @returns everything that a run will do about them */
async function makeWork(): Promise<string[]> {
  const { owner } = database;
  const days = [120, 121].map((days) => Date.now() - days * DAY);
  const [first, second] = await Promise.all(
    days.map(async (at) => (await partitionsFor(database, at, ['event_ips']))[0]),
  );
  const [ahead] = await owner.query(
    'SELECT name FROM audit.partitions WHERE parent = $1 ORDER BY upper_bound DESC LIMIT 1',
    ['event_ips'],
  );
  await owner.query(`DROP TABLE audit.${String(ahead?.['name'])}`);
  return [
    `create ${String(ahead?.['name'])}`,
    ...[first, second].flatMap((name) => [`detach ${name}`, `drop ${name}`]),
  ].toSorted();
}

/** As if the runs that did not finish had begun an hour ago. */
const anHourLater = () =>
  database.owner.query(
    `UPDATE audit.retention_runs SET started_at = started_at - interval '1 hour' WHERE finished_at IS NULL`,
  );

/** Deeds by what the runs noted, and by what audit events tell. */
async function deeds(runs: string[]): Promise<{ noted: string[]; told: string[] }> {
  const noted = await database.owner.query('SELECT steps FROM audit.retention_runs WHERE id = ANY ($1)', [
    runs,
  ]);
  const told = await database.owner.query(
    `SELECT metadata->'steps' AS steps FROM audit.events WHERE workspace_id = 'daybook' AND action = 'retention.enforced' AND id = ANY ($1)`,
    [runs],
  );
  const keys = (rows: Record<string, unknown>[]) =>
    rows.flatMap(({ steps }) => (steps as Step[]).map(key)).toSorted();
  return { noted: keys(noted), told: keys(told) };
}

const runsSince = async (before: string[]) =>
  (await database.owner.query('SELECT id FROM audit.retention_runs WHERE id <> ALL ($1)', [before])).map(
    ({ id }) => String(id),
  );

describe('a run that dies', () => {
  // begin, due, create, detach, detach, due, drop, drop, due, unreported, finish
  const REQUESTS = 11;
  const places = Array.from({ length: REQUESTS }, (_, index) => index + 1);
  const faults: Fault[] = [{ kind: 'refuse' }, { kind: 'reset-after-commit' }];
  const cases = faults.flatMap((fault) => places.map((place) => ({ place, kind: fault.kind, fault })));

  it.each(cases)(
    'at its request $place ($kind) is completed by the next, and each deed is told of once',
    async ({ place, fault }) => {
      const expected = await makeWork();
      const before = await runsSince([]);
      const first = database.endpoint.requests;
      database.endpoint.intercept = ({ sequence }) => (sequence === first + place ? fault : undefined);
      await expect(runRetention(database.app, 'cron')).rejects.toBeInstanceOf(NeonDbError);
      expect(database.endpoint.requests).toBe(first + place);
      database.endpoint.intercept = undefined;

      await anHourLater();
      const summary = await runRetention(database.app, 'cron');
      expect(summary.postponed).toEqual([]);
      expect(await due()).toEqual([]);
      const runs = await runsSince(before);
      expect(await deeds(runs)).toEqual({ noted: expected, told: expected });
      const open = await database.owner.query('SELECT FROM audit.retention_runs WHERE finished_at IS NULL');
      expect(open).toEqual([]);
    },
  );

  it('is marked as interrupted by the next run', async () => {
    const run = makeId(Date.now());
    await makeWork();
    await database.app.query(`SELECT audit.begin_retention($1, 'cron')`, [run]);
    const [step] = await due();
    await database.app.query('SELECT audit.do_retention($1, $2, $3)', [
      run,
      step?.['task'],
      step?.['partition'],
    ]);
    await anHourLater();
    await runRetention(database.app, 'operator');
    const [row] = await database.owner.query(
      'SELECT interrupted, steps, reported_at FROM audit.retention_runs WHERE id = $1',
      [run],
    );
    expect(row).toEqual({
      interrupted: true,
      steps: [{ task: step?.['task'], partition: step?.['partition'] }],
      reported_at: expect.any(Date),
    });
  });

  it('is left alone while it may still be at work', async () => {
    const run = makeId(Date.now());
    await database.app.query(`SELECT audit.begin_retention($1, 'cron')`, [run]);
    await runRetention(database.app, 'operator');
    expect(
      await database.owner.query('SELECT interrupted, finished_at FROM audit.retention_runs WHERE id = $1', [
        run,
      ]),
    ).toEqual([{ interrupted: false, finished_at: null }]);
    await anHourLater();
    await runRetention(database.app, 'operator');
  });
});

it('several runs at once do no harm: each deed is done once, and told of by the run that did it', async () => {
  for (let round = 0; round < 3; round += 1) {
    const expected = await makeWork();
    const before = await runsSince([]);
    const summaries = await Promise.all(Array.from({ length: 4 }, () => runRetention(database.app, 'cron')));
    // One may meet a lock of another and leave the rest to it.
    await runRetention(database.app, 'cron');
    expect(await due()).toEqual([]);
    const done = summaries.flatMap(({ steps }) => steps.map(key));
    expect(new Set(done).size).toBe(done.length);
    expect(await deeds(await runsSince(before))).toEqual({ noted: expected, told: expected });
  }
  expect(await diagnose(database.owner, await readMigrations(), snapshot)).toEqual([]);
});

it('keeps a year of runs', async () => {
  const { owner, app } = database;
  const [old, recent] = [makeId(Date.now() - 400 * DAY), makeId(Date.now() - 300 * DAY)];
  for (const [id, age] of [
    [old, 400],
    [recent, 300],
  ]) {
    await owner.query(
      `INSERT INTO audit.retention_runs (id, trigger, started_at, finished_at) VALUES ($1, 'cron', now() - make_interval(days => $2::int), now())`,
      [id, age],
    );
  }
  await runRetention(app, 'cron');
  expect(
    await owner.query('SELECT id FROM audit.retention_runs WHERE id = ANY ($1)', [[old, recent]]),
  ).toEqual([{ id: recent }]);
});

it('is overdue once two hourly runs did not do what was due, or a partition ahead is missing', async () => {
  const { owner, app } = database;
  const overdue = async () =>
    (await app.query('SELECT audit.retention_status() AS status'))[0]?.['status'].overdue;
  expect(await overdue()).toBe(false);

  // A day that went past its time less than an hour ago is due, and not yet overdue.
  const yesterday = Math.floor(Date.now() / DAY) * DAY - DAY;
  const hours = Math.floor((Date.now() - yesterday) / HOUR);
  await owner.query('UPDATE audit.settings SET ip_retention_hours = $1', [hours]);
  await runRetention(app, 'cron');
  const [day] = await partitionsFor(database, yesterday - HOUR, ['event_ips']);
  expect(await due()).toEqual([{ task: 'detach', partition: day }]);
  expect(await overdue()).toBe(false);
  await owner.query('UPDATE audit.settings SET ip_retention_hours = $1', [hours - 3]);
  expect(await overdue()).toBe(true);
  await owner.query('UPDATE audit.settings SET ip_retention_hours = DEFAULT');
  await runRetention(app, 'cron');
  expect(await overdue()).toBe(false);

  const [ahead] = await owner.query(
    `SELECT (audit.partition_at('event_ips', now() + interval '20 days')).name`,
  );
  await owner.query(`ALTER TABLE audit.event_ips DETACH PARTITION audit.${String(ahead?.['name'])}`);
  expect(await overdue()).toBe(true);
  await owner.query(`DROP TABLE audit.${String(ahead?.['name'])}`);
  expect(await overdue()).toBe(true);
  await runRetention(app, 'cron');
  expect(await overdue()).toBe(false);
});

it('is not overdue for a month long past that an import has just made, but once it has been there for long', async () => {
  const { owner, app } = database;
  const told = async () => ({
    overdue: (await app.query('SELECT audit.readiness() AS answer'))[0]?.['answer'].retention_overdue,
    found: await diagnose(owner, await readMigrations(), snapshot),
  });
  const [made] = await owner.query(
    `SELECT audit.make_partition('events', now() - interval '5 years') AS name`,
  );
  const name = String(made?.['name']);
  expect(await due()).toEqual([{ task: 'detach', partition: name }]);
  expect(await told()).toEqual({ overdue: false, found: [] });

  const since = `UPDATE audit.made_partitions SET created_at = now() - $2::interval WHERE name = $1`;
  await owner.query(since, [name, '3 hours']);
  expect(await told()).toEqual({ overdue: true, found: [] });
  await owner.query(since, [name, '25 hours']);
  expect(await told()).toEqual({
    overdue: true,
    found: [`partition ${name} is overdue to detach: run retention`],
  });

  await runRetention(app, 'cron');
  expect(await told()).toEqual({ overdue: false, found: [] });
  expect(await owner.query('SELECT FROM audit.made_partitions WHERE name = $1', [name])).toEqual([]);
});
