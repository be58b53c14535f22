import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diagnose } from '../../src/db/doctor/compare.ts';
import snapshot from '../../src/db/doctor/schema-snapshot.json' with { type: 'json' };
import { readMigrations, type Migration } from '../../src/db/migrate.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { driverOn, openSession } from '../support/session.ts';
import { FUNCTIONS_AND_PARTITIONS } from './planted/functions-and-partitions.ts';
import { RIGHTS } from './planted/rights.ts';
import { TABLES } from './planted/tables.ts';

let migrations: Migration[];
beforeAll(async () => {
  migrations = await readMigrations();
});

describe('doctor names', () => {
  let database: TestDatabase;
  let session: pg.Client;
  /** The current partitions, by parent. */
  const names: Record<string, string> = {};
  beforeAll(async () => {
    database = await startDatabase('postgres');
    session = await openSession(database, 'superuser');
    const rows = await database.owner.query(
      'SELECT parent, (audit.partition_at(parent, now())).name FROM audit.partition_policy',
    );
    for (const { parent, name } of rows) names[String(parent)] = String(name);
  });
  afterAll(() => database.close());

  const named = (text: string) => text.replaceAll(/<(\w+)>/g, (_, parent: string) => names[parent] ?? '');

  it.each([...TABLES, ...RIGHTS, ...FUNCTIONS_AND_PARTITIONS])(
    '$what',
    async ({ plant, finding, asSuperuser }) => {
      await session.query('BEGIN');
      try {
        if (asSuperuser !== true) await session.query('SET LOCAL ROLE daybook_owner');
        for (const statement of [plant].flat()) await session.query(named(statement));
        await session.query('SET LOCAL ROLE daybook_owner');
        const found = await diagnose(driverOn(session), migrations, snapshot);
        for (const expected of [finding].flat())
          expect(found).toContainEqual(expect.stringContaining(named(expected)));
        // It names what was planted, in each partition at most, and not half the schema besides.
        expect(found.length).toBeLessThanOrEqual(60);
      } finally {
        await session.query('ROLLBACK');
      }
    },
  );

  it('nothing any more once a difference is undone', async () => {
    const { owner } = database;
    await owner.query('ALTER TABLE audit.events DISABLE TRIGGER events_refuse_change');
    expect(await diagnose(owner, migrations, snapshot)).not.toEqual([]);
    await owner.query('ALTER TABLE audit.events ENABLE ALWAYS TRIGGER events_refuse_change');
    expect(await diagnose(owner, migrations, snapshot)).toEqual([]);
  });
});
