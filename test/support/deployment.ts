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

export async function deploy(engine: EngineName): Promise<Deployment> {
  const database = await startDatabase(engine);
  const operatorKey = makeOperatorKey();
  const harness = createTestHarness({
    workers: [
      {
        configPath: new URL('../../wrangler.toml', import.meta.url),
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
    },
  };
}
