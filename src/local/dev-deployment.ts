import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import { issueKey } from '../auth/issue.ts';
import { hashOperatorKey, makeOperatorKey } from '../auth/operator.ts';
import { connect, type Sql } from '../db/client.ts';
import { migrate, readMigrations } from '../db/migrate.ts';
import { runRetention } from '../retention/run.ts';

const DIRECTORY = '.daybook';
export const WORKSPACE = 'demo';

/** What stays the same from one `npm run dev` to the next. */
const state = z.object({
  keySecret: z.string(),
  appPassword: z.string(),
  operatorKey: z.string(),
  apiKey: z.object({ id: z.string(), key: z.string() }).optional(),
});
type State = z.infer<typeof state>;

export interface Deployment {
  apiKey: string;
  operatorKey: string;
  /** variables for `wrangler dev --env-file` */
  workerEnvFile: string;
}

/** Migrates, lets the Worker's role log in, makes a workspace and a key, and writes the variables of Worker and CLI. */
export async function prepareDeployment(ownerUrl: string, endpoint: string): Promise<Deployment> {
  await mkdir(DIRECTORY, { recursive: true, mode: 0o700 });
  const saved = await readState();
  const sql = connect({ url: ownerUrl, localEndpoint: endpoint });
  await migrate(sql, await readMigrations());
  // No cron runs here: without this there would be no partition for today some weeks after the first start.
  await runRetention(sql, 'cli');
  await sql.query(`ALTER ROLE daybook_app LOGIN PASSWORD '${saved.appPassword}'`);
  const apiKey = (await knownKey(sql, saved.apiKey)) ?? (await makeKey(sql, saved));
  await save('state.json', `${JSON.stringify({ ...saved, apiKey }, null, 2)}\n`);

  const appUrl = new URL(ownerUrl);
  appUrl.username = 'daybook_app';
  appUrl.password = saved.appPassword;
  const common = { DAYBOOK_LOCAL_DATABASE: endpoint, DAYBOOK_KEY_SECRET: saved.keySecret };
  await save('owner.env', toEnvFile({ ...common, DATABASE_URL: ownerUrl }));
  const operatorHash = await hashOperatorKey(saved.operatorKey);
  const workerEnvFile = await save(
    'worker.env',
    toEnvFile({ ...common, DATABASE_URL: appUrl.href, DAYBOOK_OPERATOR_KEY_HASHES: operatorHash }),
  );
  return { apiKey: apiKey.key, operatorKey: saved.operatorKey, workerEnvFile };
}

async function makeKey(sql: Sql, { keySecret }: State) {
  return issueKey(sql, keySecret, {
    name: 'development',
    workspaces: [WORKSPACE],
    scopes: ['events:write', 'events:read'],
  });
}

/** The saved key, where this database knows it: another may stand behind DATABASE_URL now. */
async function knownKey(sql: Sql, apiKey: State['apiKey']): Promise<State['apiKey']> {
  if (apiKey === undefined) return undefined;
  const rows = await sql.query('SELECT FROM audit.api_keys WHERE id = $1 AND revoked_at IS NULL', [
    apiKey.id,
  ]);
  return rows.length === 1 ? apiKey : undefined;
}

async function readState(): Promise<State> {
  try {
    return state.parse(JSON.parse(await readFile(`${DIRECTORY}/state.json`, 'utf8')));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    const secret = () => randomBytes(32).toString('base64url');
    return { keySecret: secret(), appPassword: secret(), operatorKey: makeOperatorKey() };
  }
}

async function save(name: string, text: string): Promise<string> {
  const path = `${DIRECTORY}/${name}`;
  // An interrupt may come at any time, and half a file would stop the next start.
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return path;
}

function toEnvFile(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join('');
}
