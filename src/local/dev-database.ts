import { randomBytes } from 'node:crypto';
import { parseDatabaseUrl } from '../cli/database-url.ts';
import { UsageError } from '../cli/usage-error.ts';
import { connect } from '../db/client.ts';
import { parseConnectionString } from './connection-string.ts';
import { WORKSPACE } from './dev-deployment.ts';
import type { Engine } from './engine.ts';
import { ComputeUnreachable } from './engine-errors.ts';
import { startPglite } from './pglite-engine.ts';
import { connectPostgres, UnsupportedParameter } from './postgres-engine.ts';

export interface DevDatabase {
  engine: Engine;
  /** what the banner calls it */
  label: string;
  /** what is to be told before anything is changed */
  notice?: string;
  /**
   * Makes the role that runs the migrations, with the rights that Neon gives it: no superuser.
   * @returns its connection string
   */
  owner(endpoint: string): Promise<string>;
}

const DATA_DIRECTORY = '.daybook/postgres';

/**
 * PGlite with its data under `.daybook/`, or the server that `DATABASE_URL` names, whose user is then the owner.
 * @throws UsageError when that server cannot be used as it is named
 */
export async function openDatabase(databaseUrl: string | undefined): Promise<DevDatabase> {
  if (databaseUrl !== undefined) return openServer(parseDatabaseUrl(databaseUrl));
  const engine = await startPglite({ dataDir: DATA_DIRECTORY });
  return {
    engine,
    label: `PGlite in ${DATA_DIRECTORY}`,
    owner: (endpoint) => makeOwner(engine.superuser, endpoint),
  };
}

async function openServer(url: URL): Promise<DevDatabase> {
  const label = `${url.hostname}:${url.port || '5432'}${url.pathname}`;
  const engine = connectTo(url);
  try {
    await engine.run(parseConnectionString(url.href), { statements: [] });
  } catch (error) {
    await engine.close();
    throw new UsageError(
      `${label}, the server of DATABASE_URL, cannot be used: ${reason(error)}. ${REMEDY}`,
      {
        cause: error,
      },
    );
  }
  return { engine, label, notice: notice(label), owner: async () => url.href };
}

const REMEDY = 'Mend that, or unset DATABASE_URL to use the embedded database.';

function connectTo(url: URL): Engine {
  try {
    return connectPostgres({ url });
  } catch (error) {
    if (error instanceof UnsupportedParameter)
      throw new UsageError(`DATABASE_URL: ${error.message}.`, { cause: error });
    throw error;
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(error instanceof ComputeUnreachable && cause instanceof Error)) return error.message;
  // Of a host with several addresses the error has a code only.
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}

function notice(label: string): string {
  return `DATABASE_URL is set: instead of the embedded database, npm run dev uses ${label} and changes it.
  It migrates that database (schema audit, role daybook_app), and makes the workspace ${WORKSPACE} and an API key there.
  It sets a password of its own for the role daybook_app, which is the whole server's: a Daybook of another checkout
  on that server, whatever its database, is locked out.
`;
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
    GRANT CREATE ON SCHEMA public TO daybook_owner;
  END $$`);
  return address('daybook_owner', password);
}
