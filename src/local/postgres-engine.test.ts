import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Engine } from './engine.ts';
import { ComputeUnreachable, ConnectionLost, PostgresError, ResultTooLarge } from './engine-errors.ts';
import { startServer, type TestServer } from '../../test/support/postgres-server.ts';
import { connectPostgres, UnsupportedParameter } from './postgres-engine.ts';

describe('the engine in front of a server', () => {
  let server: TestServer;
  let engine: Engine;
  /** Looks on from outside. */
  let other: Engine;

  beforeAll(async () => {
    server = await startServer();
  }, 60_000);
  afterAll(() => server.remove());
  beforeEach(() => {
    engine = connectPostgres({ url: `postgres://ignored@127.0.0.1:${server.port}/ignored`, max: 2 });
    other = connectPostgres({ host: '127.0.0.1', port: server.port });
  });
  afterEach(() => Promise.all([engine.close(), other.close()]));

  async function value(query: string, signal?: AbortSignal): Promise<string | null | undefined> {
    const [result] = await engine.run(server.superuser, { statements: [{ query, params: [] }], signal });
    return result?.rows[0]?.[0];
  }

  /** Resolves once the server works on the query, which it can only be asked. */
  async function running(query: string): Promise<void> {
    const count = `select count(*) from pg_stat_activity where state = 'active' and query = $1`;
    while (
      (await other.run(server.superuser, { statements: [{ query: count, params: [query] }] }))[0]
        ?.rows[0]?.[0] !== '1'
    );
  }

  test('keeps a caller who sends one request at a time on one session', async () => {
    const pids = [await value('select pg_backend_pid()'), await value('select pg_backend_pid()')];
    expect(pids[0]).toBe(pids[1]);
    await expect(value('selec')).rejects.toBeInstanceOf(PostgresError);
    expect(await value('select pg_backend_pid()')).toBe(pids[0]);
  });

  test('opens no more sessions than it may and lets the others wait', async () => {
    const pids = await Promise.all(Array.from({ length: 8 }, () => value('select pg_backend_pid()')));
    expect(new Set(pids).size).toBe(2);
  });

  test('outlives a restart of the server', async () => {
    expect(await value('select 1')).toBe('1');
    await server.restart();
    expect(await value('select 2')).toBe('2');
  });

  test('cannot reach a server that is down, and can once it is back', async () => {
    await server.halt();
    await expect(value('select 1')).rejects.toBeInstanceOf(ComputeUnreachable);
    await server.restart();
    expect(await value('select 1')).toBe('1');
  });

  test('reports a session that is terminated under its request, and drops it', async () => {
    const pid = await value('select pg_backend_pid()');
    await expect(value('select pg_terminate_backend(pg_backend_pid())')).rejects.toMatchObject({
      code: '57P01',
    });
    expect(await value('select pg_backend_pid()')).not.toBe(pid);
  });

  test('drops an idle session that is terminated', async () => {
    const pid = await value('select pg_backend_pid()');
    const query = `select pg_terminate_backend(${pid}, 5000)`;
    await other.run(server.superuser, { statements: [{ query, params: [] }] });
    expect(await value('select pg_backend_pid()')).not.toBe(pid);
  });

  test('cancels the statement when the caller gives up, and goes on with the session', async () => {
    const pid = await value('select pg_backend_pid()');
    const patience = new AbortController();
    const answer = value('select pg_sleep(60)', patience.signal);
    const aborted = running('select pg_sleep(60)').then(() => patience.abort());
    await expect(answer).rejects.toMatchObject({ code: '57014' });
    await aborted;
    expect(await value('select pg_backend_pid()')).toBe(pid);
  });

  test('runs nothing for a caller who has given up already', async () => {
    await expect(value('create table unwanted (a int)', AbortSignal.abort())).rejects.toMatchObject({
      code: '57014',
    });
    expect(await value(`select to_regclass('unwanted')`)).toBeNull();
  });

  test('takes a transaction back whose rows are too large', async () => {
    const run = engine.run(server.superuser, {
      statements: ['create table kept (a int)', `select repeat('x', 600)`, `select repeat('x', 600)`].map(
        (query) => ({
          query,
          params: [],
        }),
      ),
      transaction: {},
      maxResultBytes: 1000,
    });
    await expect(run).rejects.toBeInstanceOf(ResultTooLarge);
    expect(await value(`select to_regclass('kept')`)).toBeNull();
  });

  test('tells a full server from a wrong login', async () => {
    await value(`create role crowded login password 'x' connection limit 0`);
    const crowded = { user: 'crowded', password: 'x', database: 'postgres' };
    const run = engine.run(crowded, { statements: [] });
    await expect(run).rejects.toBeInstanceOf(ComputeUnreachable);
    await expect(run).rejects.toMatchObject({ cause: { code: '53300' } });
  });

  test('ends running requests when it closes, and takes no more', async () => {
    const answer = value('select pg_sleep(61)');
    const closed = running('select pg_sleep(61)').then(() => engine.close());
    await expect(answer).rejects.toBeInstanceOf(ConnectionLost);
    await closed;
    await expect(value('select 1')).rejects.toBeInstanceOf(ComputeUnreachable);
  });
});

describe('the address of a server, as a URL', () => {
  /** What becomes of a first request to whatever the URL names. */
  async function failure(url: string): Promise<unknown> {
    const engine = connectPostgres({ url });
    const login = { user: 'u', password: 'p', database: 'd' };
    const error = await engine.run(login, { statements: [] }).catch((error: unknown) => error);
    await engine.close();
    return error instanceof Error ? error.cause : error;
  }

  /** Answers the first bytes of a connection, and resolves to what comes then. */
  async function listen(answer: string): Promise<{ port: number; next: Promise<Buffer>; close(): void }> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const next = (async () => {
      const [socket] = (await once(server, 'connection')) as [Socket];
      await once(socket, 'data');
      socket.write(answer);
      const [bytes] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return bytes;
    })();
    return { port: (server.address() as AddressInfo).port, next, close: () => server.close() };
  }

  test.each(['require', 'verify-full'])('begins TLS for sslmode=%s', async (mode) => {
    const { port, next, close } = await listen('S');
    const failed = failure(`postgres://127.0.0.1:${port}/?sslmode=${mode}`);
    // A TLS record with a handshake in it.
    expect((await next)[0]).toBe(0x16);
    expect(await failed).toBeInstanceOf(Error);
    close();
  });

  test('never falls back to clear text for sslmode=require', async () => {
    const { port, next, close } = await listen('N');
    next.catch(() => {});
    expect(await failure(`postgres://127.0.0.1:${port}/?sslmode=require`)).toMatchObject({
      message: 'The server does not support SSL connections',
    });
    close();
  });

  test.each([
    'sslmode=prefer',
    'sslmode=',
    'sslmode=require&sslrootcert=ca.pem',
    'options=-csearch_path%3Dx',
  ])('is refused with %s, which would not be heeded', (parameters) => {
    expect(() => connectPostgres({ url: `postgres://127.0.0.1/?${parameters}` })).toThrow(
      UnsupportedParameter,
    );
  });
});
