import { expect, test } from 'vitest';
import { describeEngines } from '../../test/support/engines.ts';

const raw = { 'Neon-Raw-Text-Output': 'true', 'Neon-Array-Mode': 'true' };

describeEngines('one statement', (database) => {
  test('is answered with fields, rows, command and count', async () => {
    await database().post({ query: 'create table described (id int, name varchar(20))' });
    const inserted = await database().post(
      { query: 'insert into described values ($1, $2), (2, null) returning id, name', params: [1, 'ä'] },
      raw,
    );
    expect(inserted.status).toBe(200);
    expect(inserted.headers.get('content-type')).toBe('application/json');
    expect(inserted.headers.get('access-control-allow-origin')).toBe('*');
    const tableID = expect.any(Number);
    expect(inserted.body).toEqual({
      command: 'INSERT',
      rowCount: 2,
      rowAsArray: true,
      fields: [
        {
          name: 'id',
          dataTypeID: 23,
          tableID,
          columnID: 1,
          dataTypeSize: 4,
          dataTypeModifier: -1,
          format: 'text',
        },
        {
          name: 'name',
          dataTypeID: 1043,
          tableID,
          columnID: 2,
          dataTypeSize: -1,
          dataTypeModifier: 24,
          format: 'text',
        },
      ],
      rows: [
        ['1', 'ä'],
        ['2', null],
      ],
    });
    expect(inserted.body.fields[0].tableID).toBeGreaterThan(0);
  });

  test.each([
    ['select generate_series(1, 3)', 'SELECT', 3],
    ['create table counted as select 1 as a', 'SELECT', 1],
    ['update counted set a = 2', 'UPDATE', 1],
    ['delete from counted', 'DELETE', 1],
    ['drop table counted', 'DROP', null],
    ['set application_name to x', 'SET', null],
    ['', '', null],
  ])('%j has the command %j and the count %j', async (query, command, rowCount) => {
    const { body } = await database().post({ query }, raw);
    expect([body.command, body.rowCount]).toEqual([command, rowCount]);
  });

  test('has its values as text if the caller wants that', async () => {
    const query = `select true b, 1::int2 i, 1.50::numeric n, 1e20::float8 f, '{"a": 1}'::json j, '{1,2}'::int[] a,
      '2020-01-02 03:04:05.678901+00'::timestamptz t, '\\xff'::bytea x, null::int z`;
    const { body } = await database().post({ query }, raw);
    expect(body.rows).toEqual([
      ['t', '1', '1.50', '1e+20', '{"a": 1}', '{1,2}', '2020-01-02 03:04:05.678901+00', '\\xff', null],
    ]);
  });

  test('has its values as JSON otherwise, and its rows as objects', async () => {
    const query = `select true b, 1::int2 i, 2::int8 l, 1.5::numeric n, 0.5::float8 f, 'NaN'::float4 nan,
      '{"a": [1, null]}'::jsonb j, '{{1,2},{3,NULL}}'::int[] a, '{"x y","NULL",NULL,""}'::text[] s, '{}'::int[] e,
      array['{"k":"\\"v"}'::jsonb] ja, '{t,f}'::bool[] ba, null::int z`;
    const { body } = await database().post({ query });
    expect(body.rowAsArray).toBe(false);
    expect(body.rows).toEqual([
      {
        b: true,
        i: 1,
        l: '2',
        n: '1.5',
        f: 0.5,
        nan: 'NaN',
        j: { a: [1, null] },
        a: [
          [1, 2],
          [3, null],
        ],
        s: ['x y', 'NULL', null, ''],
        e: [],
        ja: [{ k: '"v' }],
        ba: [true, false],
        z: null,
      },
    ]);
  });

  test('may choose for itself between arrays and objects', async () => {
    const { body } = await database().post(
      { query: 'select 1 as a', arrayMode: true },
      { 'Neon-Array-Mode': 'false' },
    );
    expect(body).toMatchObject({ rowAsArray: true, rows: [[1]] });
  });

  test('takes parameters of every JSON type', async () => {
    const query = `select $1::text a, $2::int b, $3::bool c, $4::jsonb d, $5::int[] e, $6::text[] f, $7::jsonb[] g, $8::text h`;
    const object = { k: ['"', '\\', 'ä'] };
    const strings = ['a"b', 'c\\d', 'e,f', '{}', 'NULL', null, ''];
    const params = [
      'it\'s "x"',
      7,
      false,
      object,
      [
        [1, 2],
        [3, null],
      ],
      strings,
      [object, null],
      null,
    ];
    const { body } = await database().post({ query, params });
    expect(body.rows).toEqual([
      { a: params[0], b: 7, c: false, d: object, e: params[4], f: strings, g: [object, null], h: null },
    ]);
  });

  test('takes a parameter of several hundred kilobytes', async () => {
    const text = JSON.stringify(Array.from({ length: 1000 }, (_, id) => ({ id, text: 'ü'.repeat(300) })));
    const [row] = await database().sql()`select count(*)::int n from jsonb_array_elements(${text}::jsonb)`;
    expect(row).toEqual({ n: 1000 });
  });

  test('fails with all that Postgres says', async () => {
    await database().post({ query: 'create table strict (id int constraint positive check (id > 0))' });
    const { status, body } = await database().post({ query: 'insert into strict values (-1)' });
    expect(status).toBe(400);
    expect(body).toEqual({
      message: 'new row for relation "strict" violates check constraint "positive"',
      code: '23514',
      detail: 'Failing row contains (-1).',
      hint: null,
      position: null,
      internalPosition: null,
      internalQuery: null,
      severity: 'ERROR',
      where: null,
      table: 'strict',
      column: null,
      schema: 'public',
      dataType: null,
      constraint: 'positive',
      file: 'execMain.c',
      line: expect.any(String),
      routine: 'ExecConstraints',
    });
  });

  test('fails with the position in the query and in code', async () => {
    const syntax = await database().post({ query: 'select 1 +' });
    expect(syntax.body).toMatchObject({
      code: '42601',
      position: '11',
      message: 'syntax error at end of input',
    });
    const inner = await database().post({ query: `do $$ begin execute 'selec 1'; end $$` });
    expect(inner.body).toMatchObject({ code: '42601', internalPosition: '1', internalQuery: 'selec 1' });
    expect(inner.body.where).toContain('PL/pgSQL function inline_code_block');
  });

  test('may not be two', async () => {
    const { status, body } = await database().post({ query: 'select 1; select 2' });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: '42601',
      message: 'cannot insert multiple commands into a prepared statement',
    });
  });

  test('may not read from standard input', async () => {
    await database().post({ query: 'create table copied (a int)' });
    const { status, body } = await database().post({ query: 'copy copied from stdin' });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: '57014',
      message: 'COPY from stdin failed: COPY FROM STDIN is not supported',
    });
    expect(await database().sql()`select 1 as a`).toEqual([{ a: 1 }]);
  });

  test("comes back through Neon's driver in all its modes", async () => {
    const sql = database().sql();
    expect(await sql`select ${5}::int a, ${'x'} b, ${null}::int c, ${['p', 'q"']}::text[] d`).toEqual([
      { a: 5, b: 'x', c: null, d: ['p', 'q"'] },
    ]);
    expect(await sql.query('select $1::int', [1], { arrayMode: true })).toEqual([[1]]);
    const full = await sql.query('select 1 as one', [], { fullResults: true });
    expect(full).toMatchObject({ command: 'SELECT', rowCount: 1, rows: [{ one: 1 }], rowAsArray: false });
    await expect(sql`select 1/0`).rejects.toMatchObject({
      name: 'NeonDbError',
      code: '22012',
      severity: 'ERROR',
    });
  });
});
