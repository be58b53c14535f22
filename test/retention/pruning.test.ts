import { beforeAll, expect, it } from 'vitest';
import { diagnose } from '../../src/db/doctor/compare.ts';
import snapshot from '../../src/db/doctor/schema-snapshot.json' with { type: 'json' };
import { readMigrations } from '../../src/db/migrate.ts';
import { makeId } from '../../src/events/id.ts';
import { runRetention, type RunSummary } from '../../src/retention/run.ts';
import { partitionsFor } from '../support/aged.ts';
import { onBothEngines } from '../support/on-engines.ts';
import { appendRows, prepared } from '../support/rows.ts';
import { sqlstateOf } from '../support/sqlstate.ts';

const MONTHS = ['events', 'event_targets'];
const related_targets = [{ type: 'team', id: 't_1' }];

/** A moment in the middle of a month, so many months ago. */
function monthsAgo(count: number): number {
  const now = new Date();
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - count, 15);
}

onBothEngines('a month past retention', (database) => {
  let expired: string[];
  let kept: string[];
  let run: RunSummary;
  const present = async (names: string[]) => {
    const rows = await database().owner.query(
      `SELECT relname FROM pg_class WHERE relname = ANY ($1) ORDER BY 1`,
      [names],
    );
    return rows.map(({ relname }) => relname);
  };

  beforeAll(async () => {
    const { app } = database();
    // With 24 months: the 25th month back ended as the 24 months began.
    expired = [
      ...(await partitionsFor(database(), monthsAgo(25), MONTHS)),
      ...(await partitionsFor(database(), monthsAgo(30), MONTHS)),
    ];
    kept = await partitionsFor(database(), monthsAgo(24), MONTHS);
    const events = [24, 25, 30].map((months) => prepared({ related_targets }, { at: monthsAgo(months) }));
    await appendRows(app, events);
    run = await runRetention(app, 'cron');
  });

  it('is dropped whole, with the related targets of its events', async () => {
    expect(await present([...expired, ...kept])).toEqual(kept.toSorted());
    const rows = await database().owner.query(
      `SELECT (SELECT count(*)::int FROM audit.events WHERE workspace_id = 'acme') AS events, (SELECT count(*)::int FROM audit.event_targets) AS targets`,
    );
    expect(rows).toEqual([{ events: 1, targets: 1 }]);
  });

  it('goes in two steps, oldest first: detached, and dropped in a later transaction', () => {
    const steps = run.steps.map(({ task, partition }) => `${task} ${partition}`);
    const oldestFirst = expired.toSorted(
      (a, b) => a.slice(-6).localeCompare(b.slice(-6)) || a.localeCompare(b),
    );
    expect(steps).toEqual([
      ...oldestFirst.map((name) => `detach ${name}`),
      ...oldestFirst.map((name) => `drop ${name}`),
    ]);
  });

  it('follows the policy when the owner shortens it', async () => {
    const { owner, app } = database();
    await owner.query('UPDATE audit.settings SET event_retention_months = 23');
    const { steps } = await runRetention(app, 'operator');
    expect(steps.map(({ partition }) => partition).toSorted()).toEqual([...kept, ...kept].toSorted());
    expect(await present(kept)).toEqual([]);
    expect(await diagnose(owner, await readMigrations(), snapshot)).toEqual([]);
  });

  it('that cannot be made anew does not keep other steps from being done', async () => {
    const { owner, app } = database();
    const [soon] = await owner.query(
      `SELECT (audit.partition_at('events', now() + interval '1 month')).name`,
    );
    const [old] = await partitionsFor(database(), monthsAgo(26), ['events']);
    await owner.query(`ALTER TABLE audit.events DETACH PARTITION audit.${String(soon?.['name'])}`);
    const { steps, postponed } = await runRetention(app, 'cron');
    expect(postponed).toEqual([
      { task: 'create', partition: soon?.['name'], reason: 'the database refused it (SQLSTATE 42P07)' },
    ]);
    expect(steps).toEqual([
      { task: 'detach', partition: old },
      { task: 'drop', partition: old },
    ]);
  });

  it('does not stop a run that has to tell of an older one from that month', async () => {
    const { owner, app } = database();
    const died = makeId(monthsAgo(40));
    await owner.query(
      `INSERT INTO audit.retention_runs (id, trigger, started_at, finished_at, interrupted, steps)
       VALUES ($1, 'cron', now() - interval '60 days', now(), true, '[{"task": "drop", "partition": "x"}]')`,
      [died],
    );
    const { run_id } = await runRetention(app, 'cron');
    const rows = await owner.query('SELECT finished_at FROM audit.retention_runs WHERE id = $1', [run_id]);
    expect(rows).toEqual([{ finished_at: expect.any(Date) }]);
  });

  it('cannot be dropped or detached outside a run, where the deed would be noted nowhere', async () => {
    const { owner, app } = database();
    const [name] = await partitionsFor(database(), monthsAgo(28), ['events']);
    const undone = app.query('SELECT audit.do_retention($1, $2, $3)', [makeId(Date.now()), 'detach', name]);
    expect(await sqlstateOf(undone)).toBe('P0002');
    const due = await owner.query(`SELECT task FROM audit.retention_due WHERE partition = $1`, [name]);
    expect(due).toEqual([{ task: 'detach' }]);
  });
});
