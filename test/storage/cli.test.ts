import { afterAll, beforeAll, expect, it } from 'vitest';
import { daybook as run } from '../cli/daybook.ts';
import { startCluster, type Cluster, type ClusterDatabase } from '../support/cluster.ts';

let cluster: Cluster;
let database: ClusterDatabase;
beforeAll(async () => {
  cluster = await startCluster();
  database = await cluster.create();
});
afterAll(() => cluster.close());

/** Runs the CLI on the database. */
function daybook(...args: string[]) {
  const env = { DATABASE_URL: database.ownerUrl, DAYBOOK_LOCAL_DATABASE: cluster.endpoint };
  return run(args, { env });
}

it('takes a database from empty to checked: status, dry run, migrate, status, doctor', async () => {
  const pending = await daybook('migrate', 'status');
  expect(pending).toMatchObject({ code: 1, out: expect.stringMatching(/^pending +0001_foundation$/m) });
  const rehearsed = await daybook('migrate', '--dry-run');
  expect(rehearsed).toMatchObject({ code: 0, out: expect.stringContaining('would apply  0001_foundation') });
  expect((await daybook('migrate', 'status')).code).toBe(1);

  const applied = await daybook('migrate');
  expect(applied).toMatchObject({ code: 0, out: expect.stringContaining('applied  0003_append') });
  expect(await daybook('migrate')).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to do') });
  const status = await daybook('migrate', 'status');
  expect(status).toMatchObject({ code: 0, out: expect.stringMatching(/^applied +0001_foundation +\d{4}-/m) });
  expect(await daybook('doctor')).toMatchObject({
    code: 0,
    out: expect.stringContaining('as the migrations make it'),
  });
});

it('fails when doctor finds a difference, and names it', async () => {
  await database.owner.query('DROP INDEX audit.retention_runs_started');
  const found = await daybook('doctor');
  expect(found).toMatchObject({
    code: 1,
    out: expect.stringContaining('✗ retention_runs: index on btree (started_at DESC) is missing'),
  });
});

it('runs retention and shows its state', async () => {
  const run = await daybook('retention', 'run');
  expect(run.code).toBe(0);
  expect(JSON.parse(run.out)).toMatchObject({ steps: [], postponed: [] });
  const status = await daybook('retention', 'status');
  expect(JSON.parse(status.out)).toMatchObject({ overdue: false, runs: [{ trigger: 'cli', postponed: [] }] });
});

it('says what is wrong in one line, without a stack', async () => {
  await database.owner.query(`UPDATE audit.schema_migrations SET checksum = 'other' WHERE version = '0002'`);
  const drifted = await daybook('migrate');
  expect(drifted).toMatchObject({ code: 1, out: expect.stringContaining('0002_events (changed)') });
  expect(drifted.out).not.toMatch(/^\s+at /m);
});
