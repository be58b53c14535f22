import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { ImportError } from '../../src/import/import-error.ts';
import type { Source, SourceRow } from '../../src/import/source.ts';
import { openPostgres } from '../../src/import/sources/postgres.ts';
import { makeSharedDatabase, type SharedDatabase } from '../support/shared-server.ts';
import { CASES, rowsOf } from './sources/cases.ts';
import { fillPostgres } from './sources/fill.ts';

const made: SharedDatabase[] = [];
afterAll(() => Promise.all(made.map((source) => source.drop())));

/** A database of its own. @returns its address, and a session of the superuser */
async function start(): Promise<{ url: string; client: pg.Client }> {
  const database = await makeSharedDatabase();
  made.push(database);
  const { user, password, database: name } = database.superuser;
  const url = `postgres://${user}:${password}@127.0.0.1:${database.port}/${name}`;
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return { url, client };
}

async function read(source: Source, after?: readonly string[]): Promise<SourceRow[]> {
  const rows: SourceRow[] = [];
  for await (const page of source.pages(after)) rows.push(...page);
  await source.close();
  return rows;
}

describe.each(CASES.filter(({ engine }) => engine === 'postgres'))('of $title', ({ title, ...source }) => {
  test('a table is read whole, and goes on with any row', async () => {
    const { url, client } = await start();
    await fillPostgres(client, source.ddl, source.table, rowsOf({ title, ...source }, 900).rows);
    const rows = await read(await openPostgres(url, source.table, []));
    expect(rows).toHaveLength(900);
    for (const place of [0, 398, 899]) {
      const rest = await read(
        await openPostgres(url, undefined, ['missing', source.table]),
        rows[place]?.cursor,
      );
      expect(rest).toEqual(rows.slice(place));
    }
    await client.end();
  });
});

test('names that need quotes are quoted, and rows of any size come', async () => {
  const { url, client } = await start();
  await client.query(`CREATE TABLE "My ""Log""" ("Id" text COLLATE "C" PRIMARY KEY, "a b" text);
    INSERT INTO "My ""Log""" SELECT 'K' || g, repeat('x', 300000) FROM generate_series(1, 150) AS g`);
  const rows = await read(await openPostgres(url, '"My ""Log"""', []));
  expect(rows).toHaveLength(150);
  expect(rows[0]).toMatchObject({ place: { Id: 'K1' }, content: { ok: true, values: { Id: 'K1' } } });
  await client.end();
});

test('of values that no event can have only the beginning comes', async () => {
  const { url, client } = await start();
  await client.query(`CREATE TABLE t (id int PRIMARY KEY, "a ""b" text, j jsonb, x json, b bytea, v varchar);
    INSERT INTO t SELECT g, repeat('é', 3000000), to_jsonb(repeat('x', 3000000)), to_json(repeat('x', 3000000)),
      convert_to(repeat('x', 3000000), 'utf8'), repeat('x', 3000000) FROM generate_series(1, 3) AS g;
    INSERT INTO t VALUES (4, 'é', '{"a": 1}', '{"a":  1}', 'x', 'v'); INSERT INTO t VALUES (5)`);
  const rows = await read(await openPostgres(url, 't', []));
  const values = rows.map(({ content }) => (content.ok ? content.values : {}));
  expect(values[3]).toEqual({ id: 4, 'a "b': 'é', j: '{"a": 1}', x: '{"a":  1}', b: '\\x78', v: 'v' });
  expect(values[4]).toEqual({ id: 5, 'a "b': null, j: null, x: null, b: null, v: null });
  const lengths = Object.values(values[0] ?? {}).map((value) => String(value).length);
  expect(lengths).toEqual([1, 2 ** 20, 2 ** 20, 2 ** 20, 2 ** 21 + 2, 2 ** 20]);
  await client.end();
});

test.each([
  ['of char(36)', `id char(36) PRIMARY KEY DEFAULT gen_random_uuid()`],
  ['of bit(16)', `id bit(16) PRIMARY KEY`, `g::bit(16)`],
  ['that includes columns', `id int, j json, PRIMARY KEY (id) INCLUDE (j)`],
  ['of numeric and text', `id numeric(20, 4), name varchar(9) DEFAULT 'a,b', PRIMARY KEY (name, id)`],
])(
  'a table with a key %s goes on with any row',
  async (_, columns, value = columns.includes('char(36)') ? `gen_random_uuid()` : 'g') => {
    const { url, client } = await start();
    await client.query(
      `CREATE TABLE t (${columns}); INSERT INTO t (id) SELECT ${value} FROM generate_series(1, 700) AS g`,
    );
    const rows = await read(await openPostgres(url, 't', []));
    expect(rows).toHaveLength(700);
    for (const place of [0, 450, 699])
      expect(await read(await openPostgres(url, 't', []), rows[place]?.cursor)).toEqual(rows.slice(place));
    await client.end();
  },
);

test('a key does not hold for tables that inherit: rows of one key come each, and no place is kept', async () => {
  const { url, client } = await start();
  await client.query(`CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE one (PRIMARY KEY (id)) INHERITS (parent);
    CREATE TABLE two () INHERITS (parent); INSERT INTO one SELECT generate_series(1, 600); INSERT INTO two SELECT generate_series(1, 600)`);
  const source = await openPostgres(url, 'parent', []);
  expect(source).toMatchObject({ canGoOn: false, hasStablePlaces: false });
  expect(await read(source)).toHaveLength(1200);
  await client.end();
});

test('of a server that lets in and then refuses, no connection stays open', async () => {
  const ready = Buffer.from('5a0000000549', 'hex');
  const refusal = 'SERROR\0C42704\0Mnot here\0\0';
  const closed = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.concat([Buffer.from('520000000800000000', 'hex'), ready]));
      socket.once('data', () => {
        const head = Buffer.alloc(5, 'E');
        head.writeInt32BE(refusal.length + 4, 1);
        socket.write(Buffer.concat([head, Buffer.from(refusal), ready]));
      });
    });
    socket.on('close', () => closed.resolve());
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(openPostgres(`postgres://u:secret@127.0.0.1:${port}/d`, 't', [])).rejects.toThrow('not here');
  await closed.promise;
  server.close();
});

test('what is no table, is not there or may not be read is told', async () => {
  const { url, client } = await start();
  await client.query(`CREATE VIEW seen AS SELECT 1 AS id; CREATE TABLE mine (id int PRIMARY KEY);
    ALTER TABLE mine ENABLE ROW LEVEL SECURITY; GRANT SELECT ON mine TO daybook_app`);
  await expect(openPostgres(url, 'seen', [])).rejects.toThrow('public.seen is not a table');
  await expect(openPostgres(url, 'nowhere.at_all', [])).rejects.toThrow(
    'no table nowhere.at_all. Name one of these',
  );
  const { host, pathname } = new URL(url);
  // Rows that row-level security hides would be lost.
  const hidden = openPostgres(`postgres://daybook_app:app@${host}${pathname}`, 'mine', []);
  await expect(hidden).rejects.toThrow(
    'The table cannot be read: query would be affected by row-level security',
  );
  await client.end();
});

test('a connection that breaks between two pages says to run the import again', async () => {
  const { url, client } = await start();
  await client.query('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 2000)');
  const source = await openPostgres(url, 't', []);
  const pages = source.pages(undefined)[Symbol.asyncIterator]();
  await pages.next();
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'daybook import' AND datname = current_database()`,
  );
  const error: unknown = await pages.next().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ImportError);
  expect(String(error)).toContain('Run the same command again');
  await source.close();
  await client.end();
});
