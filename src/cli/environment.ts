import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseEnv } from 'node:util';
import { NeonDbError } from '@neondatabase/serverless';
import { connect, type DatabaseAddress, type Sql } from '../db/client.ts';
import { KEY_SECRETS } from '../env.ts';
import { describeFailure } from './database-failure.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { FROM_SOURCE } from './typed.ts';
import { UsageError } from './usage-error.ts';

/** Where `npm run dev` leaves the owner's connection for the CLI. */
export const DEV_OWNER_ENV = '.daybook/owner.env';

export const devOption = {
  dev: {
    type: 'boolean',
    description: `In a checkout of Daybook: use the database of "npm run dev", by ${DEV_OWNER_ENV} and whatever the environment says`,
  },
} as const;

interface DevArgs {
  dev?: boolean | undefined;
}

/**
 * Runs what a command does, as the owner: with the connection in DATABASE_URL, or with `--dev` to the development database.
 * @throws UsageError, also when the database fails: it says what to do
 */
export async function asOwner<T>(
  args: DevArgs,
  work: (sql: Sql, address: DatabaseAddress) => Promise<T>,
): Promise<T> {
  const variables = variablesFor(args);
  const url = required(
    variables,
    'DATABASE_URL',
    "the owner's connection, postgres://user:password@host/database",
  );
  return withDatabase(addressOf(url, variables), work);
}

/** The database that a URL names, at the endpoint of the environment. @throws UsageError */
export function addressOf(url: string, variables: Variables = process.env): DatabaseAddress {
  const { hostname } = parseDatabaseUrl(url);
  const localEndpoint = localEndpointOf(variables);
  if (localEndpoint === undefined) refuseOtherThanNeon(hostname);
  return { url, localEndpoint };
}

/** Runs what a command does with a database. @throws UsageError, also when the database fails: it says what to do */
export async function withDatabase<T>(
  address: DatabaseAddress,
  work: (sql: Sql, address: DatabaseAddress) => Promise<T>,
): Promise<T> {
  const sql = connectTo(address);
  try {
    return await work(sql, address);
  } catch (error) {
    if (!(error instanceof NeonDbError)) throw error;
    throw new UsageError(describeFailure(error, address), { cause: error });
  }
}

/** The first of DAYBOOK_KEY_SECRET, which signs. @throws UsageError where the Worker would refuse the variable */
export function signingSecret(args: DevArgs): string {
  const what = 'the secret that signs API keys, the same as the Worker has';
  const secrets = KEY_SECRETS.safeParse(required(variablesFor(args), 'DAYBOOK_KEY_SECRET', what));
  const [first] = secrets.data ?? [];
  if (first !== undefined) return first;
  const fault = secrets.error?.issues[0]?.message;
  throw new UsageError(`DAYBOOK_KEY_SECRET: ${fault}, and the Worker takes no other. Give ${what}.`);
}

/** The driver makes another address of the host's, of which there is none here: its error would tell of that one. */
function refuseOtherThanNeon(hostname: string): void {
  // An IPv6 address and a name such as localhost have no dot.
  if (hostname.includes('.') && isIP(hostname) === 0) return;
  const dev = ', or add --dev for the database of "npm run dev"';
  throw new UsageError(
    `DATABASE_URL is no address of a Neon database: ${hostname} is one of a plain Postgres server, and commands speak Neon's HTTP protocol. Set it to a connection string as Neon's console shows it${FROM_SOURCE ? dev : ''}.`,
  );
}

type Variables = Readonly<Record<string, string | undefined>>;

/** With `--dev` nothing comes from the environment: a forgotten DATABASE_URL may be that of production. */
function variablesFor({ dev }: DevArgs): Variables {
  if (dev !== true) return process.env;
  if (!existsSync(DEV_OWNER_ENV))
    throw new UsageError(`There is no ${DEV_OWNER_ENV}. Start "npm run dev" first.`);
  return parseEnv(readFileSync(DEV_OWNER_ENV, 'utf8'));
}

function required(variables: Variables, name: string, what: string): string {
  const value = variables[name];
  if (value !== undefined && value !== '') return value;
  const dev = ' Or add --dev for the database of "npm run dev" (by npm: npm run … -- --dev).';
  throw new UsageError(`Set ${name}: ${what}.${FROM_SOURCE ? dev : ''}`);
}

function localEndpointOf(variables: Variables): string | undefined {
  const endpoint = variables['DAYBOOK_LOCAL_DATABASE'];
  if (endpoint === undefined || endpoint === '') return undefined;
  if (URL.canParse(endpoint)) return endpoint;
  throw new UsageError('DAYBOOK_LOCAL_DATABASE is not a URL. Leave it unset to use Neon.');
}

function connectTo(address: DatabaseAddress): Sql {
  try {
    return connect(address);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
