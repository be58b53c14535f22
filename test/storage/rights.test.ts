import { beforeAll, describe, expect, it } from 'vitest';
import { makeId } from '../../src/events/id.ts';
import { onBothEngines } from '../support/on-engines.ts';
import { appendRows, withAddress } from '../support/rows.ts';
import { sqlstateOf } from '../support/sqlstate.ts';

const NO_RIGHT = '42501';

/** What a stolen credential of the Worker might try. All need a right that it has not. */
const FORBIDDEN = [
  'SELECT * FROM audit.api_keys',
  'SELECT * FROM audit.settings',
  'SELECT * FROM audit.log_pending',
  'SELECT * FROM audit.retention_runs',
  'SELECT * FROM audit.retention_due',
  'SELECT * FROM audit.partitions',
  'SELECT * FROM audit.partition_policy',
  'SELECT * FROM audit.expiry_policy',
  'SELECT * FROM audit.idempotency_keys',
  'UPDATE audit.settings SET ip_retention_hours = 1',
  'CREATE TABLE audit.mine ()',
  'CREATE TABLE public.mine ()',
  'CREATE SCHEMA mine',
  'CREATE ROLE mine',
  'CREATE DATABASE mine',
  'CREATE FUNCTION audit.mine() RETURNS int LANGUAGE sql RETURN 1',
  'CREATE VIEW audit.mine AS SELECT 1',
  'CREATE INDEX ON audit.events (reason)',
  'CREATE STATISTICS audit.mine ON workspace_id, ip_address FROM audit.event_ips',
  'CREATE POLICY mine ON audit.events USING (true)',
  'CREATE RULE mine AS ON DELETE TO audit.events DO INSTEAD NOTHING',
  'CREATE OR REPLACE FUNCTION audit.current_workspace() RETURNS text LANGUAGE sql RETURN NULL::text',
  'ALTER TABLE audit.events DISABLE ROW LEVEL SECURITY',
  'ALTER TABLE audit.events DISABLE TRIGGER ALL',
  'DROP TRIGGER events_refuse_change ON audit.events',
  'DROP TABLE audit.events',
  'DROP TABLE <partition>',
  'ALTER TABLE audit.events DETACH PARTITION <partition>',
  'ALTER TABLE audit.event_ips DETACH PARTITION <day>',
  'DO $$ BEGIN LOCK TABLE audit.events IN ROW EXCLUSIVE MODE; END $$',
  'DROP SCHEMA audit CASCADE',
  'DROP OWNED BY daybook_owner',
  'REASSIGN OWNED BY daybook_owner TO daybook_app',
  'GRANT daybook_owner TO daybook_app',
  'ALTER ROLE daybook_app BYPASSRLS',
  'ALTER DEFAULT PRIVILEGES FOR ROLE daybook_owner GRANT ALL ON TABLES TO daybook_app',
  'SET session_replication_role = replica',
  `SELECT audit.make_partition('events', '2000-01-01')`,
  `SELECT audit.partition_at('events', now())`,
  `SELECT audit.oldest_row('events', 'created_at')`,
  'SELECT audit.refuse_change()',
  `SELECT pg_read_file('/etc/passwd')`,
  `COPY audit.events TO PROGRAM 'cat'`,
];

onBothEngines('daybook_app', (database) => {
  const names = { partition: '', day: '' };
  /** Everything in the schema, and what the policy is. */
  const state = () =>
    database().owner
      .query(`SELECT md5(string_agg(relname || relkind::text || relpartbound::text, ',' ORDER BY relname)) AS relations,
      (SELECT md5(s::text) FROM audit.settings s) AS policy, (SELECT count(*)::int FROM audit.events) AS events
      FROM pg_class WHERE relnamespace = 'audit'::regnamespace`);

  beforeAll(async () => {
    const { owner, app } = database();
    await appendRows(
      app,
      ['acme', 'globex'].map((workspaceId) => withAddress('192.0.2.1', { workspaceId })),
    );
    await owner.query(`INSERT INTO audit.workspaces (id) VALUES ('acme'), ('globex')`);
    const [row] = await owner.query(
      `SELECT 'audit.' || (audit.partition_at('events', now())).name AS partition, 'audit.' || (audit.partition_at('event_ips', now())).name AS day`,
    );
    Object.assign(names, row);
  });

  it('cannot insert, update, delete or truncate in any table', async () => {
    const { owner, app } = database();
    const tables = await owner.query(
      `SELECT c.oid::regclass::text AS name, (SELECT attname FROM pg_attribute a WHERE attrelid = c.oid AND attnum = 1) AS "column"
       FROM pg_class c WHERE relnamespace = 'audit'::regnamespace AND relkind IN ('r', 'p')`,
    );
    expect(tables.length).toBeGreaterThan(60);
    for (const { name, column } of tables) {
      const statements = [
        `INSERT INTO ${name} DEFAULT VALUES`,
        `UPDATE ${name} SET ${column} = ${column}`,
        `DELETE FROM ${name}`,
        `TRUNCATE ${name}`,
      ];
      const codes = await Promise.all(statements.map((statement) => sqlstateOf(app.query(statement))));
      expect({ name, codes }).toEqual({ name, codes: statements.map(() => NO_RIGHT) });
    }
  });

  it('reads no partition past its parent, which row-level security guards', async () => {
    const { app } = database();
    expect(await sqlstateOf(app.query(`SELECT * FROM ${names.partition}`))).toBe(NO_RIGHT);
    expect(await sqlstateOf(app.query(`SELECT * FROM ${names.day}`))).toBe(NO_RIGHT);
  });

  it.each(FORBIDDEN)('has no right to: %s', async (statement) => {
    const before = await state();
    const named = statement.replace('<partition>', names.partition).replace('<day>', names.day);
    expect(await sqlstateOf(database().app.query(named))).toBe(NO_RIGHT);
    expect(await state()).toEqual(before);
  });

  it('cannot grant itself anything', async () => {
    const { app } = database();
    // Postgres answers with a warning only.
    await app.query('GRANT INSERT ON audit.events TO daybook_app');
    expect(await sqlstateOf(app.query('INSERT INTO audit.events DEFAULT VALUES'))).toBe(NO_RIGHT);
  });

  it('cannot become the owner', async () => {
    const { app, port } = database();
    expect(await sqlstateOf(app.query('SET ROLE daybook_owner'))).toBe(NO_RIGHT);
    // PGlite has one session, whose first user is its superuser.
    if (port === undefined) return;
    expect(await sqlstateOf(app.query('SET SESSION AUTHORIZATION daybook_owner'))).toBe(NO_RIGHT);
  });

  describe('reads', () => {
    const read = async (workspaceId: string | undefined, query: string) => {
      const { app } = database();
      const set = app.query(`SELECT set_config('daybook.workspace_id', $1, true)`, [workspaceId ?? '']);
      const [, rows] = (await app.transaction([set, app.query(query)])) as Record<string, unknown>[][];
      return rows;
    };
    const tables: [string, string][] = [
      ['events', 'workspace_id'],
      ['event_ips', 'workspace_id'],
      ['audit_logs', 'workspace_id'],
      ['workspaces', 'id'],
    ];

    it.each(tables)('nothing of %s without a workspace', async (table) => {
      expect(await database().app.query(`SELECT * FROM audit.${table}`)).toEqual([]);
      expect(await read(undefined, `SELECT * FROM audit.${table}`)).toEqual([]);
    });

    it.each(tables)('only the rows of its workspace from %s', async (table, column) => {
      expect(await read('acme', `SELECT ${column} AS w FROM audit.${table}`)).toEqual([{ w: 'acme' }]);
      expect(await read('acme', `SELECT FROM audit.${table} WHERE ${column} = 'globex'`)).toEqual([]);
      expect(await read('acme', `SELECT FROM audit.${table} WHERE ${column} <> 'acme' OR true`)).toHaveLength(
        1,
      );
      expect(await read('ACME', `SELECT FROM audit.${table}`)).toEqual([]);
    });

    it.each(tables.filter(([table]) => table !== 'audit_logs'))(
      'an error instead of %s with row-level security off',
      async (table) => {
        const { app } = database();
        const off = app.transaction([
          app.query(`SELECT set_config('row_security', 'off', true)`),
          app.query(`SELECT * FROM audit.${table}`),
        ]);
        expect(await sqlstateOf(off)).toBe(NO_RIGHT);
      },
    );
  });

  describe('retention', () => {
    it('does nothing for a task that is not due', async () => {
      const { app } = database();
      const run = makeId(Date.now());
      await app.query(`SELECT audit.begin_retention($1, 'cron')`, [run]);
      const [partition, day] = [names.partition.slice(6), names.day.slice(6)];
      const invented = [
        ['create', partition],
        ['detach', partition],
        ['drop', partition],
        ['detach', day],
        ['drop', day],
        ['create', 'events_p209901'],
        ['create', 'event_ips_p20990101'],
        ['drop', 'settings'],
        ['drop', 'events'],
        ['detach', 'events_p190001'],
        ['truncate', partition],
        ['expire', 'events'],
        ['expire', 'idempotency_keys'],
        ['drop', `${day}; DROP TABLE audit.settings`],
        ['drop', `${day}" CASCADE; --`],
        [`drop'; DROP TABLE audit.settings; --`, day],
        ['', ''],
        [null, null],
      ];
      const before = await state();
      for (const [task, name] of invented) {
        const answer = await app.query('SELECT audit.do_retention($1, $2, $3) AS done', [run, task, name]);
        expect({ task, name, answer }).toEqual({ task, name, answer: [{ done: null }] });
      }
      expect(await state()).toEqual(before);
      expect(await database().owner.query('SELECT steps FROM audit.retention_runs')).toEqual([{ steps: [] }]);
    });

    it('is given to no other role', async () => {
      const functions = await database().owner.query(
        `SELECT p.oid::regprocedure::text AS name FROM pg_proc p WHERE pronamespace = 'audit'::regnamespace
         AND has_function_privilege('pg_monitor', oid, 'EXECUTE')`,
      );
      expect(functions).toEqual([]);
    });
  });
});
