import { beforeAll, expect, it } from 'vitest';
import { runRetention } from '../../src/retention/run.ts';
import { onBothEngines } from '../support/on-engines.ts';
import { appendRows, prepared } from '../support/rows.ts';
import { refusalOf, sqlstateOf } from '../support/sqlstate.ts';

const IMMUTABLE = '23001';
const NO_RIGHT = '42501';

/** Every way to change or remove a row that one statement has. */
const CHANGES: [string, (table: string) => string][] = [
  ['UPDATE', (table) => `UPDATE ${table} SET action = 'x'`],
  ['UPDATE to the same', (table) => `UPDATE ${table} SET action = action`],
  ['UPDATE of the key', (table) => `UPDATE ${table} SET workspace_id = 'other'`],
  ['DELETE', (table) => `DELETE FROM ${table}`],
  ['DELETE of one row', (table) => `DELETE FROM ${table} WHERE ctid = (SELECT min(ctid) FROM ${table})`],
  ['TRUNCATE', (table) => `TRUNCATE ${table}`],
  ['TRUNCATE CASCADE', (table) => `TRUNCATE ${table} CASCADE`],
  [
    'INSERT ON CONFLICT UPDATE',
    (table) =>
      `INSERT INTO ${table} SELECT * FROM ${table} LIMIT 1 ON CONFLICT (workspace_id, id, created_at) DO UPDATE SET reason = 'x'`,
  ],
  ['MERGE', (table) => `MERGE INTO ${table} t USING (SELECT) s ON true WHEN MATCHED THEN DELETE`],
];

onBothEngines('immutability of events', (database) => {
  /** Partitions by kind, each with an event; so has the parent then. */
  const tables: Record<'parent' | 'old' | 'current' | 'made by retention', string> = {
    parent: 'audit.events',
    old: '',
    current: '',
    'made by retention': '',
  };
  const everything = () =>
    database().owner.query(
      `SELECT md5(string_agg(e::text, chr(10) ORDER BY id)) AS sum, count(*)::int AS n FROM audit.events e WHERE workspace_id = 'acme'`,
    );

  beforeAll(async () => {
    const { owner, app } = database();
    const partitionAt = async (at: Date) =>
      String(
        (await owner.query(`SELECT 'audit.' || (audit.partition_at('events', $1)).name AS name`, [at]))[0]?.[
          'name'
        ],
      );
    const now = new Date();
    const old = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 5, 15));
    const ahead = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 5, 15));
    await owner.query(`SELECT audit.make_partition('events', $1)`, [old]);
    await owner.query('UPDATE audit.settings SET months_ahead = 6');
    const { steps } = await runRetention(app, 'cron');
    tables.old = await partitionAt(old);
    tables.current = await partitionAt(now);
    tables['made by retention'] = await partitionAt(ahead);
    expect(steps).toContainEqual({
      task: 'create',
      partition: tables['made by retention'].replace('audit.', ''),
    });
    await appendRows(
      app,
      [old, now, ahead].map((at) => prepared({}, { at: at.getTime() })),
    );
  });

  const kinds = Object.keys(tables) as (keyof typeof tables)[];
  const cases = kinds.flatMap((kind) => CHANGES.map(([name, change]) => [name, kind, change] as const));

  it.each(cases)(
    'refuses %s on a table (%s) to the owner, to daybook_app and to replicas',
    async (_name, kind, change) => {
      const { owner, app, superuser } = database();
      const statement = change(tables[kind]);
      const before = await everything();

      const refusal = await refusalOf(owner.query(statement));
      expect(refusal.code).toBe(IMMUTABLE);
      expect(refusal.message).toMatch(
        /^audit events are immutable: (UPDATE|DELETE|TRUNCATE) on audit\.events/,
      );
      expect(await sqlstateOf(app.query(statement))).toBe(NO_RIGHT);
      const asReplica = superuser.transaction([
        superuser.query(`SELECT set_config('session_replication_role', 'replica', true)`),
        superuser.query(statement),
      ]);
      expect(await sqlstateOf(asReplica)).toBe(IMMUTABLE);

      expect(await everything()).toEqual(before);
      expect(before).toMatchObject([{ n: 3 }]);
    },
  );

  it('refuses TRUNCATE of every partition there is', async () => {
    const partitions = await database().owner.query(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'audit.events'::regclass`,
    );
    expect(partitions.length).toBeGreaterThanOrEqual(6);
    for (const { name } of partitions) {
      expect([name, await sqlstateOf(database().owner.query(`TRUNCATE ${name}`))]).toEqual([name, IMMUTABLE]);
    }
  });
});
