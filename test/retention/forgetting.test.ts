import { beforeAll, expect, it } from 'vitest';
import { runRetention, type RunSummary } from '../../src/retention/run.ts';
import { DAY, storeAged } from '../support/aged.ts';
import { onBothEngines } from '../support/on-engines.ts';

const OLD = '203.0.113.91';
const YOUNG = '203.0.113.89';

onBothEngines('an address past its 90 days', (database) => {
  const ids = { old: '', young: '' };
  let run: RunSummary;
  let before: unknown;

  /** Every table of the database, the catalogs too, in which a text occurs in any column. */
  async function tablesWith(text: string): Promise<string[]> {
    const { superuser } = database();
    const tables = await superuser.query(
      `SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'm')`,
    );
    const searches = tables.map(
      ({ name }) =>
        `SELECT '${name}' AS name WHERE EXISTS (SELECT FROM ${name} t WHERE strpos(t::text, $1) > 0)`,
    );
    expect(searches.length).toBeGreaterThan(100);
    return (await superuser.query(searches.join(' UNION ALL '), [text])).map(({ name }) => String(name));
  }
  const dayOf = async (age: number) => {
    const [row] = await database().owner.query(`SELECT (audit.partition_at('event_ips', $1)).name`, [
      new Date(Date.now() - age),
    ]);
    return String(row?.['name']);
  };
  const eventsNow = () =>
    database().owner.query(
      `SELECT e.xmin::text, e.ctid::text, encode(leaf_hash, 'hex') AS leaf_hash, e::text AS row FROM audit.events e WHERE workspace_id = 'acme' ORDER BY id`,
    );

  beforeAll(async () => {
    const { app, owner } = database();
    ids.old = await storeAged(database(), OLD, { at: Date.now() - 91 * DAY });
    ids.young = await storeAged(database(), YOUNG, { at: Date.now() - 89 * DAY });
    // Many alike make a most common value, and statistics would keep it.
    for (let n = 0; n < 20; n += 1)
      await storeAged(database(), OLD, { at: Date.now() - 91 * DAY + n, workspaceId: 'many' });
    await owner.query('ANALYZE');
    before = await eventsNow();
    expect(await tablesWith(OLD)).toEqual([`audit.${await dayOf(91 * DAY)}`]);
    run = await runRetention(app, 'cron');
  });

  it('is in no table any more, nor in the statistics, although they were gathered before', async () => {
    expect(await tablesWith(OLD)).toEqual([]);
    const kept = await database().superuser.query(`SELECT FROM pg_stats s WHERE strpos(s::text, $1) > 0`, [
      OLD,
    ]);
    expect(kept).toEqual([]);
  });

  it('left by its day being detached and then dropped', async () => {
    const partition = await dayOf(91 * DAY);
    expect(run.steps).toEqual([
      { task: 'detach', partition },
      { task: 'drop', partition },
    ]);
    expect(await database().owner.query('SELECT to_regclass($1) AS found', [`audit.${partition}`])).toEqual([
      { found: null },
    ]);
  });

  it('leaves the event untouched, its leaf hash and the commitment to the address too', async () => {
    expect(await eventsNow()).toEqual(before);
    const [row] = await database().owner.query(
      'SELECT ip_commitment, leaf_hash FROM audit.events WHERE id = $1',
      [ids.old],
    );
    expect(row).toMatchObject({ ip_commitment: expect.anything(), leaf_hash: expect.anything() });
  });

  it('leaves younger addresses where they are', async () => {
    const partition = await dayOf(89 * DAY);
    expect(await tablesWith(YOUNG)).toEqual([`audit.${partition}`]);
    // Not in the statistics even while it may be read.
    expect(
      await database().superuser.query('SELECT FROM pg_stats s WHERE strpos(s::text, $1) > 0', [YOUNG]),
    ).toEqual([]);
  });

  it('is recorded: the run in retention_runs and as an audit event of its own', async () => {
    const { owner } = database();
    const runs = await owner.query(
      'SELECT id, trigger, interrupted, steps, postponed, finished_at, reported_at FROM audit.retention_runs',
    );
    expect(runs).toEqual([
      {
        id: run.run_id,
        trigger: 'cron',
        interrupted: false,
        steps: run.steps,
        postponed: [],
        finished_at: expect.any(Date),
        reported_at: expect.any(Date),
      },
    ]);
    const events = await owner.query(
      `SELECT id, action, actor_type, actor_id, target_type, target_id, metadata FROM audit.events WHERE workspace_id = 'daybook'`,
    );
    expect(events).toEqual([
      {
        id: run.run_id,
        action: 'retention.enforced',
        actor_type: 'system',
        actor_id: 'system',
        target_type: 'retention_run',
        target_id: run.run_id,
        metadata: { steps: run.steps },
      },
    ]);
  });
});
