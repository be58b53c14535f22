import { beforeAll, expect, test } from 'vitest';
import { describeEngines } from '../../test/support/engines.ts';

describeEngines('a login', (database) => {
  const secret = 'p@ss:w/rd %é';

  beforeAll(async () => {
    const sql = database().sql();
    await sql.query(`create role "Writer One" login password '${secret}'`);
    await sql`create role nobody_home password 'x'`;
    await sql`create role no_password login`;
    await sql`create role outdated login password 'x' valid until '2001-01-01'`;
    await sql`create role tuned login password 'x'`;
    await sql`alter role tuned set search_path = elsewhere`;
    await sql`alter role tuned set log_statement = 'all'`;
    await sql.query(`alter database ${database().superuser.database} set lock_timeout = '7s'`);
    await sql`create role group_of_tuned`;
    await sql`grant group_of_tuned to tuned`;
    await sql`alter role tuned set role = group_of_tuned`;
  });

  test('is decoded from the connection string', async () => {
    const sql = database().sql({ user: 'Writer One', password: secret });
    expect(
      await sql`select current_user::text u, session_user::text s, current_setting('is_superuser') su`,
    ).toEqual([{ u: 'Writer One', s: 'Writer One', su: 'off' }]);
  });

  const refused = [
    [
      'a wrong password',
      { user: 'Writer One', password: 'no' },
      '28P01',
      'password authentication failed for user "Writer One"',
    ],
    [
      'an unknown user',
      { user: 'ghost', password: 'x' },
      '28P01',
      'password authentication failed for user "ghost"',
    ],
    [
      'a role without password',
      { user: 'no_password', password: 'x' },
      '28P01',
      'password authentication failed for user "no_password"',
    ],
    [
      'an expired password',
      { user: 'outdated', password: 'x' },
      '28P01',
      'password authentication failed for user "outdated"',
    ],
    [
      'a role that may not log in',
      { user: 'nobody_home', password: 'x' },
      '28000',
      'role "nobody_home" is not permitted to log in',
    ],
    ['an unknown database', { database: 'nowhere' }, '3D000', 'database "nowhere" does not exist'],
  ] as const;

  test.each(refused)('with %s is refused', async (_case, credentials, code, message) => {
    const { status, body } = await database().post({ query: 'select 1' }, {}, credentials);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code, message, severity: 'FATAL', detail: null });
  });

  test('without the right to connect is refused', async () => {
    const sql = database().sql();
    const name = database().superuser.database;
    await sql.query(`revoke connect on database ${name} from public`);
    const { body } = await database().post({ query: 'select 1' }, {}, { user: 'tuned', password: 'x' });
    await sql.query(`grant connect on database ${name} to public`);
    expect(body).toMatchObject({ code: '42501', message: `permission denied for database "${name}"` });
    expect(body.detail).toBe('User does not have CONNECT privilege.');
  });

  test('brings the settings of role and database', async () => {
    const query = `select current_user u, current_setting('search_path') p, current_setting('log_statement') l,
      current_setting('lock_timeout') t`;
    const { body } = await database().post({ query }, {}, { user: 'tuned', password: 'x' });
    expect(body.rows).toEqual([{ u: 'group_of_tuned', p: 'elsewhere', l: 'all', t: '7s' }]);
  });

  test('follows a change of password', async () => {
    const sql = database().sql();
    await sql`create role rotating login password 'old'`;
    expect(await database().sql({ user: 'rotating', password: 'old' })`select 1 as a`).toHaveLength(1);
    await sql`alter role rotating password 'new'`;
    expect(await database().sql({ user: 'rotating', password: 'new' })`select 1 as a`).toHaveLength(1);
  });
});

describeEngines('a request', (database) => {
  const state = `select current_user::text u, session_user::text s, current_setting('search_path') p,
    nullif(current_setting('app.x', true), '') x, (select count(*)::int from pg_prepared_statements) prepared,
    (select count(*)::int from pg_cursors) cursors, to_regclass('pg_temp.leftover')::text temp,
    (select count(*)::int from pg_locks where locktype = 'advisory') locks,
    (select count(*)::int from pg_listening_channels()) channels`;

  beforeAll(async () => {
    await database().sql()`create role other`;
  });

  test.each([
    'set role other',
    'set session authorization other',
    'set search_path to nowhere',
    `select set_config('app.x', '1', false)`,
    `select set_config('app.x', '1', true)`,
    'prepare kept as select 1',
    'create temp table leftover (a int)',
    'select pg_advisory_lock(7)',
    'listen kept',
    'declare kept cursor with hold for select 1',
  ])('finds no trace of an earlier %j', async (query) => {
    const before = await database().post({ query: state });
    expect((await database().post({ query })).status).toBe(200);
    const after = await database().post({ query: state });
    expect(after.body.rows).toEqual(before.body.rows);
    expect(after.body.rows[0]).toMatchObject({
      u: 'postgres',
      x: null,
      prepared: 0,
      temp: null,
      locks: 0,
      channels: 0,
    });
  });

  test('finds no trace of a batch that failed after changing the session', async () => {
    const before = await database().post({ query: state });
    const queries = ['set role other', `select set_config('app.x', '1', false)`, 'selec'].map((query) => ({
      query,
    }));
    expect((await database().post({ queries })).status).toBe(400);
    const after = await database().post({ query: state });
    expect(after.body.rows).toEqual(before.body.rows);
  });

  test('reads an empty string where an earlier one set a value for its transaction', async () => {
    await database().post({ query: `select set_config('app.once', '1', true)` });
    const { body } = await database().post({ query: `select current_setting('app.once', true) v` });
    expect(body.rows[0].v ?? '').toBe('');
  });

  test('is not disturbed by others at the same time', async () => {
    const sql = database().sql();
    const numbers = Array.from({ length: 40 }, (_, number) => number);
    const answers = await Promise.all(
      numbers.map((number) =>
        sql.transaction([
          sql`select set_config('app.n', ${String(number)}, true)`,
          sql`select current_setting('app.n')::int n`,
        ]),
      ),
    );
    expect(answers.map(([, rows]) => rows)).toEqual(numbers.map((n) => [{ n }]));
  });
});
