import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, type Sql } from '../../src/db/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { appendRows, prepared } from '../support/rows.ts';
import { sqlstateOf } from '../support/sqlstate.ts';
import { daybook } from './daybook.ts';

let database: TestDatabase;
/** Roles are the server's, which other files use too. */
const mark = randomBytes(6).toString('hex');
const roles: string[] = [];
let one: Sql;
let two: Sql;
const [ONE, TWO] = [`one_${mark}`, `two_${mark}`];

beforeAll(async () => {
  database = await startDatabase('postgres');
  for (const id of ['acme', 'globex', 'daybook'])
    await database.app.query(`SELECT audit.put_workspace($1, '{}')`, [id]);
  const event = { action: 'task_created', target: { type: 'task', id: '7' }, source_id: '42' };
  await appendRows(
    database.app,
    ['acme', 'globex', 'initech', 'daybook'].map((workspaceId) => prepared(event, { workspaceId })),
  );
  one = await login(ONE);
  two = await login(TWO);
});
afterAll(async () => {
  for (const role of roles.toReversed()) {
    await database.superuser.query(`DROP OWNED BY ${role}`);
    await database.superuser.query(`DROP ROLE ${role}`);
  }
  await database.close();
});
beforeEach(async () => {
  await database.owner.query('DROP SCHEMA IF EXISTS old CASCADE');
  await database.owner.query('DELETE FROM audit.readers');
});

async function makeRole(name: string, options: string): Promise<void> {
  await database.superuser.query(`CREATE ROLE ${name} ${options}`);
  roles.push(name);
}

async function login(name: string, options = ''): Promise<Sql> {
  await makeRole(name, `LOGIN PASSWORD 'reader' ${options}`);
  const url = Object.assign(new URL(database.ownerUrl), { username: name, password: 'reader' }).href;
  return connect({ url, localEndpoint: database.endpoint.url.href });
}

const install = (preset: string, ...args: string[]) =>
  daybook(['views', 'install', preset, '--schema', 'old', ...args], {
    env: { DATABASE_URL: database.ownerUrl, DAYBOOK_LOCAL_DATABASE: database.endpoint.url.href },
  });
const done = { code: 0 };
const tasks = (...args: string[]) => install('tasks', '--workspace', 'acme', ...args);
const count = async (sql: Sql, from: string) => {
  const [row] = await sql.query(`SELECT count(*)::integer AS n FROM ${from}`);
  return row?.['n'];
};
const workspacesOf = async (sql: Sql, from = 'audit.events') =>
  (await sql.query(`SELECT DISTINCT workspace_id FROM ${from} ORDER BY 1`)).map((row) => row['workspace_id']);

test('a second reader, and a run without one, leave the first what it may read', async () => {
  expect(await tasks('--reader', ONE)).toMatchObject(done);
  await database.owner.query('CREATE VIEW old.mine AS SELECT * FROM old.audit_events');
  expect(await tasks('--reader', TWO)).toMatchObject(done);
  expect(await tasks()).toMatchObject(done);
  for (const sql of [one, two]) expect(await count(sql, 'old.audit_events')).toBe(1);
});

test('columns that become integers are found by numbers, and whoever could read the view still can', async () => {
  expect(await tasks('--reader', ONE)).toMatchObject(done);
  await database.owner.query(`GRANT SELECT ON old.audit_events TO ${TWO} WITH GRANT OPTION`);
  expect(await tasks('--integers', 'id,resource_id')).toMatchObject(done);
  expect(await count(one, 'old.audit_events WHERE id = 42 AND resource_id = 7')).toBe(1);
  const rights = `SELECT has_table_privilege($1, 'old.audit_events', 'SELECT WITH GRANT OPTION') AS may`;
  expect(await database.owner.query(rights, [TWO])).toEqual([{ may: true }]);

  await database.owner.query('CREATE VIEW old.mine AS SELECT * FROM old.audit_events');
  const { code, out } = await tasks();
  expect(out).toContain('views of yours are made of it');
  expect(code).toBe(1);
  expect(await count(one, 'old.audit_events WHERE id = 42')).toBe(1);
  expect((await tasks('--integers', 'ids')).out).toContain('no column "ids". It has id, action_type');
});

test('without a workspace a reader may read all there are, but not what the service keeps of itself', async () => {
  expect(await install('workspace', '--reader', ONE)).toMatchObject(done);
  expect(await workspacesOf(one, 'old.audit_logs')).toEqual(['acme', 'globex']);
  expect(await workspacesOf(one)).toEqual(['acme', 'globex']);
});

test('a reader may read the workspaces of its last installation and no others, and is told what it lost', async () => {
  await install('workspace', '--reader', ONE);
  const globex = ['--workspace', 'globex', '--name', 'globex'];
  const narrowed = await install('workspace', ...globex, '--reader', ONE);
  expect(narrowed).toEqual({
    code: 0,
    out: expect.stringContaining(`${ONE} may no more read of: acme.`),
  });
  expect(await workspacesOf(one)).toEqual(['globex']);
});

test('the view of another preset or workspace is not replaced', async () => {
  await install('desktop', '--workspace', 'acme');
  const others = [
    ['workspace', '--workspace', 'acme'],
    ['desktop', '--workspace', 'globex'],
  ] as const;
  for (const [preset, ...args] of others) {
    const { code, out } = await install(preset, ...args);
    expect(out).toContain(
      'old.audit_logs is the view desktop, of the workspace acme. Choose another --name or --schema',
    );
    expect(code).toBe(1);
  }
  expect(await install('workspace', '--workspace', 'acme', '--name', 'other')).toMatchObject(done);
});

test('a role that row-level security does not hold is no reader', async () => {
  const [bypasses, member, reads, sees] = ['bypasses', 'member', 'reads', 'sees'].map(
    (name) => `${name}_${mark}`,
  ) as [string, string, string, string];
  await makeRole(bypasses, 'LOGIN BYPASSRLS');
  await makeRole(member, `LOGIN NOINHERIT IN ROLE ${bypasses}`);
  await makeRole(reads, 'LOGIN IN ROLE pg_read_all_data');
  await makeRole(sees, 'LOGIN SUPERUSER');
  for (const role of [bypasses, member, reads, sees, 'daybook_app']) {
    const { code, out } = await tasks('--reader', role);
    expect(out).toContain(`${role} would read every workspace`);
    expect(out).toContain('Make another by SQL: CREATE ROLE');
    expect(code).toBe(1);
  }
  const missing = await tasks('--reader', `nobody_${mark}`);
  expect(missing.out).toContain(`There is no role nobody_${mark}. Make it by SQL: CREATE ROLE`);
  const [row] = await database.owner.query(`SELECT to_regclass('old.audit_events') AS made`);
  expect(row).toEqual({ made: null });
});

test('what is listed for a role is for its members', async () => {
  const team = `team_${mark}`;
  await makeRole(team, 'NOLOGIN');
  const member = await login(`ann_${mark}`, `IN ROLE ${team}`);
  expect(await tasks('--reader', team)).toMatchObject(done);
  expect(await count(member, 'old.audit_events')).toBe(1);
  expect(await workspacesOf(member)).toEqual(['acme']);
});

test('a reader sees what is listed for it, and of other readers nothing', async () => {
  await tasks('--reader', ONE);
  await install('gdpr', '--workspace', 'globex', '--reader', TWO);
  expect(await one.query('SELECT role_name, workspace_id FROM audit.readers')).toEqual([
    { role_name: ONE, workspace_id: 'acme' },
  ]);
  const relations = await one.query(
    `SELECT relname FROM pg_class WHERE relnamespace = 'audit'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition
       AND has_table_privilege(oid, 'SELECT') ORDER BY 1`,
  );
  expect(relations.map(({ relname }) => relname)).toEqual(['audit_logs', 'event_ips', 'events', 'readers']);
  const functions = await one.query(
    `SELECT proname FROM pg_proc WHERE pronamespace = 'audit'::regnamespace AND has_function_privilege(oid, 'EXECUTE')`,
  );
  expect(functions).toEqual([{ proname: 'ip_horizon' }]);
  expect(await sqlstateOf(one.query(`INSERT INTO audit.readers VALUES ($1, 'globex')`, [ONE]))).toBe('42501');
});

test('a role that was dropped hinders no other reader', async () => {
  await tasks('--reader', ONE);
  await database.owner.query(`INSERT INTO audit.readers VALUES ('dropped_${mark}', 'globex')`);
  expect(await workspacesOf(one)).toEqual(['acme']);
});

test('which workspaces a reader has is found out once in a query, not with each row', async () => {
  await tasks('--reader', ONE);
  const rows = await one.query(
    'EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) SELECT * FROM audit.events ORDER BY id LIMIT 10',
  );
  const plan = rows.map((row) => String(row['QUERY PLAN']));
  expect(plan.some((line) => /InitPlan/.test(line))).toBe(true);
  const scans = plan.filter((line) => /on (readers|pg_authid)/.test(line));
  expect(scans.length).toBeGreaterThan(0);
  for (const scan of scans) expect(scan).toMatch(/loops=1\)|never executed/);
});
