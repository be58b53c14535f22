import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { createTestHarness, type TestHarness } from 'wrangler';
import { issueKey, type KeyRequest } from '../../src/auth/issue.ts';
import { hashOperatorKey, makeOperatorKey } from '../../src/auth/operator.ts';
import { startDatabase, type TestDatabase } from './database.ts';

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
  /** variables other than those of wrangler.toml */
  vars?: Record<string, string>;
  /** requests of a key in 10 seconds, in place of what wrangler.toml says */
  rateLimit?: number;
}

/** The Worker is the bundle that would be uploaded: what wrangler adds for development reads each body to its end. */
export async function deploy(options: DeployOptions = {}): Promise<Deployment> {
  const { vars = {}, rateLimit } = options;
  const directory = await mkdtemp(join(tmpdir(), 'daybook-deployment-'));
  const database = await startDatabase('postgres');
  const operatorKey = makeOperatorKey();
  const harness = createTestHarness({
    workers: [
      {
        configPath: rateLimit === undefined ? CONFIG : await limitedConfig(rateLimit, directory),
        prebuiltWorkerDir: inject('bundleDirectory'),
        vars,
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

/** @returns the path of a wrangler.toml with another rate limit */
async function limitedConfig(rateLimit: number, directory: string): Promise<string> {
  const original = await readFile(CONFIG, 'utf8');
  const config = original
    .replace('"src/worker.ts"', JSON.stringify(fileURLToPath(new URL('src/worker.ts', CONFIG))))
    .replace(/\blimit = \d+/, `limit = ${rateLimit}`);
  const path = join(directory, 'wrangler.toml');
  await writeFile(path, config);
  return path;
}
