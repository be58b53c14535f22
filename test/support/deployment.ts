import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createTestHarness, type TestHarness } from 'wrangler';
import { issueKey, type KeyRequest } from '../../src/auth/issue.ts';
import { hashOperatorKey, makeOperatorKey } from '../../src/auth/operator.ts';
import { startDatabase, type EngineName, type TestDatabase } from './database.ts';

export const KEY_SECRET = 'a secret of the tests that is long enough for HMAC';

/** Daybook as it is deployed: the Worker in workerd, by wrangler.toml, in front of a database. */
export interface Deployment {
  database: TestDatabase;
  harness: TestHarness;
  url: string;
  operatorKey: string;
  /** Makes a key; read and write for workspace `acme` unless told otherwise. */
  key(request?: Partial<KeyRequest>): Promise<string>;
  close(): Promise<void>;
}

const CONFIG = new URL('../../wrangler.toml', import.meta.url);

export interface DeployOptions {
  /**
   * Permits of 50 requests that a key gets in 10 seconds, in place of those of wrangler.toml. The Worker is then the very
   * bundle that would be uploaded: what wrangler adds for development reads each body to its end before it answers.
   */
  rateLimit?: number;
}

export async function deploy(engine: EngineName, { rateLimit }: DeployOptions = {}): Promise<Deployment> {
  const directory = await mkdtemp(join(tmpdir(), 'daybook-deployment-'));
  const [database, build] = await Promise.all([
    startDatabase(engine),
    rateLimit === undefined ? { configPath: CONFIG } : bundle(rateLimit, directory),
  ]);
  const operatorKey = makeOperatorKey();
  const harness = createTestHarness({
    workers: [
      {
        ...build,
        secrets: {
          DATABASE_URL: database.appUrl,
          DAYBOOK_LOCAL_DATABASE: database.endpoint.url.href,
          DAYBOOK_KEY_SECRET: KEY_SECRET,
          DAYBOOK_OPERATOR_KEY_HASHES: await hashOperatorKey(operatorKey),
        },
      },
    ],
  });
  const { url } = await harness.listen();
  return {
    database,
    harness,
    url: url.origin,
    operatorKey,
    key: async (request = {}) => {
      const asked = {
        name: 'test',
        workspaces: ['acme'],
        scopes: ['events:write', 'events:read'] as const,
        ...request,
      };
      return (await issueKey(database.owner, KEY_SECRET, { ...asked, scopes: [...asked.scopes] })).key;
    },
    close: async () => {
      await harness.close();
      await database.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** What `wrangler deploy` would upload with another rate limit. */
async function bundle(rateLimit: number, directory: string) {
  const original = await readFile(CONFIG, 'utf8');
  const config = original
    .replace('"src/worker.ts"', JSON.stringify(fileURLToPath(new URL('src/worker.ts', CONFIG))))
    .replace(/\blimit = \d+/, `limit = ${rateLimit}`);
  const configPath = join(directory, 'wrangler.toml');
  await writeFile(configPath, config);
  const prebuiltWorkerDir = join(directory, 'bundle');
  await promisify(execFile)('wrangler', [
    'deploy',
    '--dry-run',
    '--config',
    configPath,
    '--outdir',
    prebuiltWorkerDir,
  ]);
  return { configPath, prebuiltWorkerDir };
}
