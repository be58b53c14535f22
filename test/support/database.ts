import { connect, type Sql } from '../../src/db/client.ts';
import { migrate, readMigrations } from '../../src/db/migrate.ts';
import { makeOwner } from '../../src/local/dev-database.ts';
import type { Engine } from '../../src/local/engine.ts';
import { startEndpoint, type Endpoint } from '../../src/local/endpoint.ts';
import { connectPostgres } from '../../src/local/postgres-engine.ts';
import { startEmbedded } from './embedded.ts';
import { startServer, type TestServer } from './postgres-server.ts';

export type EngineName = 'pglite' | 'postgres';

/** A migrated database behind an endpoint, with a connection for each role. */
export interface TestDatabase {
  engine: Engine;
  endpoint: Endpoint;
  /** the real server; PGlite has none */
  server: TestServer | undefined;
  superuser: Sql;
  owner: Sql;
  ownerUrl: string;
  /** the Worker's role */
  app: Sql;
  appUrl: string;
  close(): Promise<void>;
}

/** Starts a database of its own for a test file. */
export async function startDatabase(name: EngineName): Promise<TestDatabase> {
  const server = name === 'postgres' ? await startServer() : undefined;
  const embedded = server === undefined ? await startEmbedded() : undefined;
  const engine = embedded?.engine ?? connectPostgres({ host: '127.0.0.1', port: server?.port ?? 0 });
  const superuser = embedded?.engine.superuser ?? server?.superuser;
  if (superuser === undefined) throw new Error('a database has a superuser');
  const endpoint = await startEndpoint({ engine });
  const localEndpoint = endpoint.url.href;

  const ownerUrl = embedded?.ownerUrl ?? (await makeOwner(superuser, localEndpoint));
  const owner = connect({ url: ownerUrl, localEndpoint });
  if (embedded === undefined) await migrate(owner, await readMigrations());
  await owner.query(`ALTER ROLE daybook_app LOGIN PASSWORD 'app'`);
  const appUrl = `postgres://daybook_app:app@localhost/${superuser.database}`;
  const superuserUrl = `postgres://${superuser.user}:${superuser.password}@localhost/${superuser.database}`;
  return {
    engine,
    endpoint,
    server,
    superuser: connect({ url: superuserUrl, localEndpoint }),
    owner,
    ownerUrl,
    app: connect({ url: appUrl, localEndpoint }),
    appUrl,
    close: async () => {
      await endpoint.close();
      await engine.close();
      await embedded?.remove();
      await server?.remove();
    },
  };
}
