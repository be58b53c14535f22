import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeId } from '../../src/events/id.ts';
import { runRetention } from '../../src/retention/run.ts';
import { retentionStatus } from '../../src/retention/status.ts';
import { DAY, HOUR, partitionsFor } from '../support/aged.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { refusalOf } from '../support/sqlstate.ts';

/** What whoever holds the Worker's credential could do to the record of retention. */

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase('postgres');
});
afterAll(() => database.close());

const begin = (run: string) => database.app.query(`SELECT audit.begin_retention($1, 'cron')`, [run]);
const finish = (run: string, postponed: unknown = [], reported: string[] = []) =>
  database.app.query(`SELECT audit.finish_retention($1, $2::jsonb, '{}', $3::uuid[])`, [
    run,
    JSON.stringify(postponed),
    reported,
  ]);
const runOf = async (id: string) =>
  (await database.owner.query('SELECT * FROM audit.retention_runs WHERE id = $1', [id]))[0];

describe('a run', () => {
  it.each([
    ['of no UUIDv7', () => makeId(Date.now()).replace(/^(.{14})7/, '$14')],
    ['of an hour ago', () => makeId(Date.now() - HOUR)],
    ['of tomorrow', () => makeId(Date.now() + DAY)],
  ])('with an id %s is refused', async (_, id) => {
    expect((await refusalOf(begin(id()))).code).toBe('22023');
  });

  it('that is closed stays as it is, and nothing more is done in its name', async () => {
    const { run_id: id } = await runRetention(database.app, 'cron');
    const before = await runOf(id);
    expect((await refusalOf(finish(id, [{ x: 1 }]))).code).toBe('P0002');
    const [day] = await partitionsFor(database, Date.now() - 130 * DAY, ['event_ips']);
    const doing = database.app.query(`SELECT audit.do_retention($1, 'detach', $2)`, [id, day]);
    expect((await refusalOf(doing)).code).toBe('P0002');
    expect(await runOf(id)).toEqual(before);
    await runRetention(database.app, 'cron');
  });

  it('cannot be closed with words that the status could not show', async () => {
    const id = makeId(Date.now());
    await begin(id);
    await finish(id, [{ x: 1 }, { task: 7, partition: null, reason: { a: 1 } }]);
    const { runs } = await retentionStatus(database.app);
    expect(runs.find((run) => run.id === id)?.postponed).toEqual([
      { task: '', partition: '', reason: '' },
      { task: '7', partition: '', reason: '{"a": 1}' },
    ]);
  });

  it('does not count as reported before its event is stored', async () => {
    const [id, other] = [makeId(Date.now()), makeId(Date.now())];
    await begin(id);
    await begin(other);
    await finish(id, [], [id, other]);
    expect(await runOf(id)).toMatchObject({ reported_at: null });
    expect(await runOf(other)).toMatchObject({ reported_at: null });
  });
});

describe('rows that are kept for a while only', () => {
  const EXPIRE = { task: 'expire', partition: 'idempotency_keys' };
  const makeKeys = (count: number, age: string) =>
    database.owner.query(
      `INSERT INTO audit.idempotency_keys (workspace_id, key, body_hash, receipt, created_at)
       SELECT 'acme', $2 || n, sha256(''), '{}', now() - $2::interval FROM generate_series(1, $1::int) n`,
      [count, age],
    );
  const count = async () =>
    (await database.owner.query('SELECT count(*)::int AS n FROM audit.idempotency_keys'))[0]?.['n'];

  it('are not due before their time', async () => {
    await makeKeys(1, '47 hours 59 minutes');
    expect(await database.owner.query('SELECT * FROM audit.retention_due')).toEqual([]);
    expect((await runRetention(database.app, 'cron')).steps).toEqual([]);
    expect(await count()).toBe(1);
  });

  it('are due from the time of the oldest one on, and go 10,000 in a transaction', async () => {
    await makeKeys(10_001, '49 hours');
    const { due, overdue } = await retentionStatus(database.app);
    expect(due).toEqual([{ ...EXPIRE, due_at: expect.any(String) }]);
    const late = Date.now() - Date.parse(due[0]?.due_at ?? '');
    expect(late).toBeGreaterThanOrEqual(HOUR);
    expect(late).toBeLessThan(HOUR + 60_000);
    expect(overdue).toBe(false);

    const id = makeId(Date.now());
    await begin(id);
    const doing = () =>
      database.app.query(`SELECT audit.do_retention($1, 'expire', 'idempotency_keys') AS done`, [id]);
    expect(await doing()).toEqual([{ done: { ...EXPIRE, rows: 10_000 } }]);
    expect(await count()).toBe(2);
    expect(await doing()).toEqual([{ done: { ...EXPIRE, rows: 10_001 } }]);
    expect(await doing()).toEqual([{ done: null }]);
    expect(await count()).toBe(1);
    expect(await runOf(id)).toMatchObject({ steps: [{ ...EXPIRE, rows: 10_001 }] });
    await finish(id);
  });

  it('all go in one run, which tells how many they were, as does its audit event', async () => {
    await makeKeys(20_005, '51 hours');
    expect((await retentionStatus(database.app)).overdue).toBe(true);
    const { run_id: id, ...summary } = await runRetention(database.app, 'cron');
    const steps = [{ ...EXPIRE, rows: 20_005 }];
    expect(summary).toEqual({ steps, postponed: [] });
    expect(await count()).toBe(1);
    const { runs, due } = await retentionStatus(database.app);
    expect([runs[0]?.steps, due]).toEqual([steps, []]);
    const told = await database.owner.query('SELECT metadata FROM audit.events WHERE id = $1', [id]);
    expect(told).toEqual([{ metadata: { steps } }]);
  });
});
