import { randomBytes } from 'node:crypto';
import { connect } from '../db/client.ts';
import type { Engine } from './engine.ts';
import { startPglite } from './pglite-engine.ts';
import { connectPostgres } from './postgres-engine.ts';

export interface DevDatabase {
  engine: Engine;
  /** what the banner calls it */
  label: string;
  /**
   * Makes the role that runs the migrations, with the rights that Neon gives it: no superuser.
   * @returns its connection string
   */
  owner(endpoint: string): Promise<string>;
}

const DATA_DIRECTORY = '.daybook/postgres';

/** PGlite with its data under `.daybook/`, or the server that `DATABASE_URL` names, whose user is then the owner. */
export async function openDatabase(url: string | undefined): Promise<DevDatabase> {
  if (url !== undefined) {
    const { hostname, port, pathname } = new URL(url);
    const server = { host: hostname, port: Number(port || 5432) };
    return {
      engine: connectPostgres(server),
      label: `${hostname}:${server.port}${pathname}`,
      owner: async () => url,
    };
  }
  const engine = await startPglite({ dataDir: DATA_DIRECTORY });
  return {
    engine,
    label: `PGlite in ${DATA_DIRECTORY}`,
    owner: (endpoint) => makeOwner(engine.superuser, endpoint),
  };
}

export async function makeOwner(
  superuser: { user: string; password: string; database: string },
  endpoint: string,
): Promise<string> {
  const address = (user: string, password: string) =>
    `postgres://${user}:${password}@localhost/${superuser.database}`;
  const sql = connect({ url: address(superuser.user, superuser.password), localEndpoint: endpoint });
  const password = randomBytes(18).toString('base64url');
  await sql.query(`DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'daybook_owner') THEN
      CREATE ROLE daybook_owner LOGIN CREATEROLE CREATEDB BYPASSRLS;
    END IF;
    ALTER ROLE daybook_owner PASSWORD '${password}';
    GRANT CREATE ON DATABASE ${superuser.database} TO daybook_owner;
  END $$`);
  return address('daybook_owner', password);
}
