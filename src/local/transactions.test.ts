import { expect, test } from 'vitest';
import { describeEngines } from '../../test/support/engines.ts';

const options = `select current_setting('transaction_isolation') i, current_setting('transaction_read_only') r,
  current_setting('transaction_deferrable') d`;

describeEngines('a batch', (database) => {
  test('is answered with one result per query', async () => {
    const queries = [
      { query: 'select $1::int a', params: [1] },
      { query: 'select 2 as b', arrayMode: true },
    ];
    const { status, body } = await database().post({ queries });
    expect(status).toBe(200);
    expect(body.results).toMatchObject([
      { rows: [{ a: 1 }], rowAsArray: false },
      { rows: [[2]], rowAsArray: true },
    ]);
    expect(Object.keys(body)).toEqual(['results']);
  });

  test('may be empty', async () => {
    const { status, body } = await database().post({ queries: [] });
    expect([status, body]).toEqual([200, { results: [] }]);
  });

  test('is one transaction', async () => {
    const sql = database().sql();
    const [first, second] = await sql.transaction([
      sql`select pg_current_xact_id()::text x`,
      sql`select pg_current_xact_id()::text x`,
    ]);
    expect(first).toEqual(second);
  });

  test('takes everything back at the first error and runs nothing after it', async () => {
    const sql = database().sql();
    await sql`create table ledger (id int primary key)`;
    await sql`create sequence reached`;
    const batch = sql.transaction([
      sql`insert into ledger values (1)`,
      sql`insert into ledger values (1)`,
      sql`select nextval('reached')`,
    ]);
    await expect(batch).rejects.toMatchObject({ code: '23505', constraint: 'ledger_pkey' });
    expect(await sql`select (select count(*)::int from ledger) rows, is_called from reached`).toEqual([
      { rows: 0, is_called: false },
    ]);
  });

  test('fails as a whole when only the commit fails', async () => {
    const sql = database().sql();
    await sql`create table parent (id int primary key)`;
    await sql`create table child (id int references parent deferrable initially deferred)`;
    const batch = sql.transaction([sql`insert into child values (1)`, sql`select 1`]);
    await expect(batch).rejects.toMatchObject({ code: '23503' });
    expect(await sql`select * from child`).toEqual([]);
  });

  test('has the options its headers ask for, and says so', async () => {
    const headers = {
      'Neon-Batch-Isolation-Level': 'Serializable',
      'Neon-Batch-Read-Only': 'true',
      'Neon-Batch-Deferrable': 'true',
    };
    const answer = await database().post({ queries: [{ query: options }] }, headers);
    expect(answer.body.results[0].rows).toEqual([{ i: 'serializable', r: 'on', d: 'on' }]);
    for (const [name, value] of Object.entries(headers)) expect(answer.headers.get(name)).toBe(value);
  });

  test.each([
    ['ReadUncommitted', 'read uncommitted'],
    ['ReadCommitted', 'read committed'],
    ['RepeatableRead', 'repeatable read'],
    ['Serializable', 'serializable'],
  ] as const)("through Neon's driver runs at %s", async (isolationLevel, setting) => {
    const sql = database().sql();
    const [rows] = await sql.transaction([sql.query(options)], { isolationLevel, readOnly: true });
    expect(rows).toEqual([{ i: setting, r: 'on', d: 'off' }]);
  });

  test('without options has the defaults, whatever flags say that are not exactly true', async () => {
    const headers = { 'Neon-Batch-Read-Only': 'TRUE', 'Neon-Batch-Deferrable': '1' };
    const answer = await database().post({ queries: [{ query: options }] }, headers);
    expect(answer.body.results[0].rows).toEqual([{ i: 'read committed', r: 'off', d: 'off' }]);
  });

  test('cannot write if it is read-only', async () => {
    const sql = database().sql();
    const batch = sql.transaction([sql`create table forbidden (a int)`], { readOnly: true });
    await expect(batch).rejects.toMatchObject({ code: '25006' });
  });
});

describeEngines('a single statement', (database) => {
  test('pays no heed to the options of batches', async () => {
    const { body } = await database().post({ query: options }, { 'Neon-Batch-Read-Only': 'true' });
    expect(body.rows).toEqual([{ i: 'read committed', r: 'off', d: 'off' }]);
  });

  test('that opens a transaction does not leave it open', async () => {
    await database().post({ query: 'begin isolation level serializable' });
    const { body } = await database().post({ query: options });
    expect(body.rows[0].i).toBe('read committed');
  });
});
