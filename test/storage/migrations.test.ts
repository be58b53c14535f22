import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHash } from 'node:crypto';
import type { Sql } from '../../src/db/client.ts';
import { diagnose } from '../../src/db/doctor/compare.ts';
import snapshot from '../../src/db/doctor/schema-snapshot.json' with { type: 'json' };
import {
  migrate,
  MigrationDrift,
  migrationStatus,
  readMigrations,
  type Migration,
} from '../../src/db/migrate.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';

let cluster: Cluster;
let migrations: Migration[];
beforeAll(async () => {
  cluster = await startCluster();
  migrations = await readMigrations();
});
afterAll(() => cluster.close());

function migration(version: string, text: string): Migration {
  return {
    version,
    name: `${version}_test`,
    text,
    checksum: createHash('sha256').update(text).digest('hex'),
  };
}

const first = migration('0001', 'CREATE TABLE audit.first (id int)');
const second = migration('0002', 'CREATE TABLE audit.second (id int)');
const ledgerOf = (sql: Sql) =>
  sql.query('SELECT version, name, checksum, applied_at::text FROM audit.schema_migrations ORDER BY 1');
const tablesOf = async (sql: Sql) =>
  (
    await sql.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'audit'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1`,
    )
  ).map(({ relname }) => relname);
const schemasOf = (sql: Sql) => sql.query(`SELECT FROM pg_namespace WHERE nspname = 'audit'`);

it('applies all migrations to an empty database, once', async () => {
  const { owner } = await cluster.create();
  const before = await migrationStatus(owner, migrations);
  expect(before.map(({ state, appliedAt }) => [state, appliedAt])).toEqual(
    migrations.map(() => ['pending', null]),
  );
  expect(await schemasOf(owner)).toEqual([]);

  const applied: string[] = [];
  expect(await migrate(owner, migrations, { onApplied: ({ name }) => applied.push(name) })).toEqual(
    migrations,
  );
  expect(applied).toEqual(migrations.map(({ name }) => name));
  const after = await migrationStatus(owner, migrations);
  expect(after.map(({ version, state }) => [version, state])).toEqual(
    migrations.map(({ version }) => [version, 'applied']),
  );
  expect(after.every(({ appliedAt }) => Math.abs(Date.now() - Date.parse(appliedAt ?? '')) < 60_000)).toBe(
    true,
  );

  const ledger = await ledgerOf(owner);
  expect(await migrate(owner, migrations)).toEqual([]);
  expect(await ledgerOf(owner)).toEqual(ledger);
});

it('applies only what is pending', async () => {
  const { owner } = await cluster.create();
  await migrate(owner, [first]);
  expect(await migrate(owner, [first, second])).toEqual([second]);
  expect(await tablesOf(owner)).toEqual(['first', 'schema_migrations', 'second']);
});

describe('a changed history', () => {
  it('is an error that names the file, before anything is applied', async () => {
    const { owner } = await cluster.create();
    await migrate(owner, [first]);
    const changed = migration('0001', `${first.text} -- changed`);
    const states = await migrationStatus(owner, [changed, second]);
    expect(states.map(({ state }) => state)).toEqual(['changed', 'pending']);
    await expect(migrate(owner, [changed, second])).rejects.toThrow(MigrationDrift);
    await expect(migrate(owner, [changed, second])).rejects.toThrow(/0001_test \(changed\)/);
    expect(await tablesOf(owner)).toEqual(['first', 'schema_migrations']);
  });

  it('is an error when an applied file is gone', async () => {
    const { owner } = await cluster.create();
    await migrate(owner, [first, second]);
    await expect(migrate(owner, [first])).rejects.toThrow(/0002_test \(unknown\)/);
  });

  it('is an error when two files have one number', async () => {
    const { owner } = await cluster.create();
    const twin = { ...migration('0001', 'CREATE TABLE audit.twin ()'), name: '0001_twin' };
    await expect(migrate(owner, [first, twin])).rejects.toThrow(/0001_twin/);
    expect(await schemasOf(owner)).toEqual([]);
  });
});

describe('a failing file', () => {
  it('is rolled back with its ledger row; what came before it stays, and it can be corrected', async () => {
    const { owner } = await cluster.create();
    const failing = migration(
      '0002',
      'CREATE TABLE audit.second (id int); SELECT 1/0; CREATE TABLE audit.third ()',
    );
    await expect(migrate(owner, [first, failing])).rejects.toMatchObject({ code: '22012' });
    expect(await tablesOf(owner)).toEqual(['first', 'schema_migrations']);
    expect(await ledgerOf(owner)).toMatchObject([{ version: '0001' }]);

    await migrate(owner, [first, second]);
    expect(await ledgerOf(owner)).toMatchObject([
      { version: '0001' },
      { version: '0002', checksum: second.checksum },
    ]);
  });

  it('cannot commit half of itself', async () => {
    const { owner } = await cluster.create();
    const committing = migration('0001', 'CREATE TABLE audit.half (); COMMIT; SELECT 1/0');
    await expect(migrate(owner, [committing])).rejects.toMatchObject({ code: '0A000' });
    expect(await schemasOf(owner)).toEqual([]);
  });
});

describe('a dry run', () => {
  it('executes everything and leaves nothing behind', async () => {
    const { owner } = await cluster.create();
    expect(await migrate(owner, migrations, { dryRun: true })).toEqual(migrations);
    expect(await schemasOf(owner)).toEqual([]);
    expect((await migrationStatus(owner, migrations)).every(({ state }) => state === 'pending')).toBe(true);
  });

  it('reports what would fail', async () => {
    const { owner } = await cluster.create();
    await expect(
      migrate(owner, [first, migration('0002', 'SELECT 1/0')], { dryRun: true }),
    ).rejects.toMatchObject({ code: '22012' });
    expect(await schemasOf(owner)).toEqual([]);
  });
});

it('lets several runners at once apply everything once', async () => {
  const { owner } = await cluster.create();
  // Whoever comes first waits inside its transaction until the other two wait for it, having seen everything pending.
  const gate = migration(
    '0000',
    `DO $$ BEGIN
       WHILE (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted) < 2 LOOP PERFORM pg_sleep(0.005); END LOOP;
     END $$`,
  );
  const all = [gate, ...migrations];
  expect(await Promise.all([1, 2, 3].map(() => migrate(owner, all)))).toEqual([all, all, all]);
  expect((await ledgerOf(owner)).map(({ version }) => version)).toEqual(all.map(({ version }) => version));

  await owner.query(`DELETE FROM audit.schema_migrations WHERE version = '0000'`);
  expect(await diagnose(owner, migrations, snapshot)).toEqual([]);
});

describe('nothing is done to', () => {
  it.each([{ dryRun: true }, {}])("a schema audit of another's, with %j", async (options) => {
    const { owner } = await cluster.create();
    await owner.query('CREATE SCHEMA audit');
    await owner.query('CREATE TABLE audit.logged_actions (id int)');
    await expect(migrate(owner, migrations, options)).rejects.toThrow(
      'there is a schema audit already, which Daybook did not make: take another database, or rename it',
    );
    expect(await tablesOf(owner)).toEqual(['logged_actions']);
  });

  it('a server that is too old', async () => {
    const { name, owner, superuser } = await cluster.create();
    // What the owner's sessions meet before the function of that name that tells the truth.
    await superuser.query(`CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE sql
      RETURN CASE $1 WHEN 'server_version_num' THEN '140023' WHEN 'server_version' THEN '14.23' END`);
    await superuser.query(`ALTER DATABASE ${name} SET search_path = public, pg_catalog`);
    await expect(migrate(owner, migrations)).rejects.toThrow(
      'this is Postgres 14.23, and Daybook needs 15 or newer',
    );
    expect(await schemasOf(owner)).toEqual([]);
  });
});
