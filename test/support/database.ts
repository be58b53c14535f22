import { connect, type Sql } from '../../src/db/client.ts';
import type { Engine } from '../../src/local/engine.ts';
import { startEndpoint, type Endpoint } from '../../src/local/endpoint.ts';
import { connectPostgres } from '../../src/local/postgres-engine.ts';
import { startEmbedded } from './embedded.ts';
import { makeSharedDatabase } from './shared-server.ts';

export type EngineName = 'pglite' | 'postgres';

/** A migrated database behind an endpoint, with a connection for each role. */
export interface TestDatabase {
  engine: Engine;
  endpoint: Endpoint;
  /** of the real server; PGlite has none */
  port: number | undefined;
  superuser: Sql;
  superuserUrl: string;
  owner: Sql;
  ownerUrl: string;
  /** the Worker's role */
  app: Sql;
  appUrl: string;
  close(): Promise<void>;
}

async function onPglite() {
  const { engine, ownerUrl, remove } = await startEmbedded();
  return { engine, port: undefined, superuser: engine.superuser, ownerUrl, remove };
}

async function onPostgres() {
  const { port, superuser, ownerUrl, drop } = await makeSharedDatabase();
  const engine = connectPostgres({ host: '127.0.0.1', port });
  const remove = async () => {
    await engine.close();
    await drop();
  };
  return { engine, port, superuser, ownerUrl, remove };
}

/** Makes a database for a test file of its own, by copying one that is migrated. */
export async function startDatabase(name: EngineName): Promise<TestDatabase> {
  const { engine, port, superuser, ownerUrl, remove } = await (name === 'pglite' ? onPglite() : onPostgres());
  const endpoint = await startEndpoint({ engine });
  const localEndpoint = endpoint.url.href;
  const appUrl = `postgres://daybook_app:app@localhost/${superuser.database}`;
  const superuserUrl = `postgres://${superuser.user}:${superuser.password}@localhost/${superuser.database}`;
  return {
    engine,
    endpoint,
    port,
    superuser: connect({ url: superuserUrl, localEndpoint }),
    superuserUrl,
    owner: connect({ url: ownerUrl, localEndpoint }),
    ownerUrl,
    app: connect({ url: appUrl, localEndpoint }),
    appUrl,
    close: async () => {
      await endpoint.close();
      await remove();
    },
  };
}
