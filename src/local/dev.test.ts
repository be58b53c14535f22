import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../../test/support/postgres-server.ts';

const DEV = new URL('dev.ts', import.meta.url).pathname;

let cwd: string;
/** Holds the port that is to be the Worker's, so that no run gets as far as wrangler. */
let blocker: Server;
let taken: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'daybook-'));
  blocker = createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  taken = String((blocker.address() as AddressInfo).port);
});
afterAll(async () => {
  blocker.close();
  await rm(cwd, { recursive: true });
});

/** Runs `npm run dev` up to where it fails. @returns what it printed */
async function dev(env: Record<string, string>): Promise<string> {
  const { PATH } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [DEV],
      { cwd, env: { PATH, PORT: taken, ...env } },
      (error, stdout, stderr) => {
        expect(error?.code).toBe(1);
        resolve(stdout + stderr);
      },
    );
  });
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return String(port);
}

function expectSentences(out: string): void {
  expect(out).not.toMatch(/^\s+at |[{}[\]]|undefined|NaN/m);
}

test.each(['abc', '0', '65536', '80.5', '-1'])('PORT=%s is refused by a sentence', async (port) => {
  expect(await dev({ PORT: port })).toContain(`PORT is "${port}" and must be a port: 1 to 65535.`);
});

test('DAYBOOK_DATABASE_PORT=abc is refused by a sentence', async () => {
  const out = await dev({ DAYBOOK_DATABASE_PORT: 'abc' });
  expect(out).toContain('DAYBOOK_DATABASE_PORT is "abc" and must be a port');
});

test.each([
  ['localhost', 'is not a URL'],
  ['postgres://postgres@127.0.0.1/postgres', 'has no password'],
  ['postgres://u:p@127.0.0.1', 'names no database'],
  ['postgres://u:p@127.0.0.1/d?sslmode=prefer', 'sslmode can be disable'],
  ['postgres://u:p@127.0.0.1/d?channel_binding=require', 'remove channel_binding'],
])('DATABASE_URL=%s is refused by a sentence', async (url, fault) => {
  const out = await dev({ DATABASE_URL: url });
  expect(out).toMatch(/^DATABASE_URL/m);
  expect(out).toContain(fault);
  expectSentences(out);
});

test('DATABASE_URL may name an address of IPv6, in brackets', async () => {
  const out = await dev({ DATABASE_URL: `postgres://u:p@[::1]:${await freePort()}/d` });
  expect(out).toMatch(/connect E(CONNREFUSED|ADDRNOTAVAIL) ::1:\d+/);
});

test('an empty DATABASE_URL means the embedded database', async () => {
  const out = await dev({ DATABASE_URL: '', DAYBOOK_DATABASE_PORT: taken });
  expect(out).toContain(`cannot listen on 127.0.0.1:${taken}: the port is in use`);
});

describe('DATABASE_URL', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.remove());

  function url({ user, password }: { user: string; password: string }, port = server.port): string {
    return `postgres://${user}:${password}@127.0.0.1:${port}/postgres`;
  }

  test('of a server that does not answer is named, with the reason', async () => {
    const out = await dev({ DATABASE_URL: url(server.superuser, Number(await freePort())) });
    expect(out).toMatch(
      /^127\.0\.0\.1:\d+\/postgres, the server of DATABASE_URL, cannot be used: connect ECONNREFUSED/m,
    );
    expectSentences(out);
  });

  test('with a wrong password is refused in the words of the server', async () => {
    const out = await dev({ DATABASE_URL: url({ user: 'postgres', password: 'wrong' }) });
    expect(out).toContain('cannot be used: password authentication failed for user "postgres"');
    expectSentences(out);
  });

  test('with sslmode=require never goes on in clear text', async () => {
    const out = await dev({ DATABASE_URL: `${url(server.superuser)}?sslmode=require` });
    expect(out).toContain('cannot be used: The server does not support SSL connections');
    expectSentences(out);
  });

  test('is told what will be changed, before it is changed', async () => {
    const database = await freePort();
    const out = await dev({ DATABASE_URL: url(server.superuser), DAYBOOK_DATABASE_PORT: database });
    expect(out).toContain(`npm run dev uses 127.0.0.1:${server.port}/postgres and changes it.`);
    expect(out).toContain('password of its own for the role daybook_app');
    expect(out).toContain(`cannot listen on 127.0.0.1:${taken}: the port is in use`);
    expect(await readFile(join(cwd, '.daybook', 'owner.env'), 'utf8')).toContain(url(server.superuser));
  });
});
