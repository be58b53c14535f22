import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { Client } from 'pg';
import { connect } from '../../src/db/client.ts';
import { migrate, readMigrations } from '../../src/db/migrate.ts';
import { makeOwner } from '../../src/local/dev-database.ts';
import type { Credentials } from '../../src/local/engine.ts';
import { startEndpoint } from '../../src/local/endpoint.ts';
import { connectPostgres } from '../../src/local/postgres-engine.ts';
import { startServer, type TestServer } from './postgres-server.ts';

/** The Postgres server of the test run, with a migrated database to copy. */
export interface SharedServer {
  port: number;
  superuser: Credentials;
  /** the owner's connection to the database that is copied */
  ownerUrl: string;
}

/** A database of a test file's own on the shared server. Roles are the server's. */
export interface SharedDatabase {
  port: number;
  superuser: Credentials;
  ownerUrl: string;
  drop(): Promise<void>;
}

const MIGRATED = 'migrated';

declare module 'vitest' {
  interface ProvidedContext {
    server: SharedServer;
  }
}

/** Starts the server and migrates the database that is copied, once for a run. */
export async function startSharedServer(): Promise<{ server: TestServer; shared: SharedServer }> {
  const server = await startServer({ connections: 500 });
  const engine = connectPostgres({ host: '127.0.0.1', port: server.port });
  const endpoint = await startEndpoint({ engine });
  const localEndpoint = endpoint.url.href;
  await asSuperuser(server, `CREATE DATABASE ${MIGRATED}`);
  const superuser = { ...server.superuser, database: MIGRATED };
  const ownerUrl = await makeOwner(superuser, localEndpoint);
  const owner = connect({ url: ownerUrl, localEndpoint });
  await migrate(owner, await readMigrations());
  await owner.query(`ALTER ROLE daybook_app LOGIN PASSWORD 'app'`);
  await endpoint.close();
  await engine.close();
  return { server, shared: { port: server.port, superuser: server.superuser, ownerUrl } };
}

/** A copy of the migrated database, in a tenth of the time that a server takes to start. */
export async function makeSharedDatabase(): Promise<SharedDatabase> {
  const server = inject('server');
  const name = `copy_${randomBytes(8).toString('hex')}`;
  await asSuperuser(server, `CREATE DATABASE ${name} TEMPLATE ${MIGRATED} STRATEGY file_copy`);
  await asSuperuser(server, `GRANT CREATE ON DATABASE ${name} TO daybook_owner`);
  return {
    port: server.port,
    superuser: { ...server.superuser, database: name },
    ownerUrl: Object.assign(new URL(server.ownerUrl), { pathname: `/${name}` }).href,
    drop: () => asSuperuser(server, `DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function asSuperuser(server: Pick<SharedServer, 'port' | 'superuser'>, query: string): Promise<void> {
  const client = new Client({ host: '127.0.0.1', port: server.port, ...server.superuser });
  await client.connect();
  try {
    await client.query(query);
  } finally {
    await client.end();
  }
}
