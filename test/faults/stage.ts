import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueKey } from '../../src/auth/issue.ts';
import { connect } from '../../src/db/client.ts';
import { migrate, readMigrations } from '../../src/db/migrate.ts';
import { makeOwner } from '../../src/local/dev-database.ts';
import { bundle } from '../support/bundle.ts';
import { startServer, type TestServer } from '../support/postgres-server.ts';
import { Child } from './child.ts';
import type { EndpointReport } from './endpoint-process.ts';
import type { Weather } from './weather.ts';
import { Worker } from './worker.ts';

const KEY_SECRET = 'the secret of the fault suite and of nothing else';

/** Daybook as it is deployed: a server that keeps what it commits, the endpoint and the Worker in processes of their own. */
export interface Stage {
  server: TestServer;
  worker: Worker;
  /** told the weather, it answers what it has injected so far */
  endpoint: Child<Weather, EndpointReport>;
  /** may write to the workspace of the suite */
  key: string;
  close(): Promise<void>;
}

/** @param seed decides the faults of single calls */
export async function setStage(seed: number): Promise<Stage> {
  const ends: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    return { ...(await build(seed, ends)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param ends takes what ends each part, in the order in which they were made */
async function build(seed: number, ends: (() => Promise<unknown>)[]): Promise<Omit<Stage, 'close'>> {
  const server = await startServer({ durable: true });
  ends.push(() => server.remove());
  const endpoint = new Child<Weather, EndpointReport>(new URL('endpoint-process.ts', import.meta.url), [
    String(server.port),
    String(seed),
  ]);
  ends.push(() => endpoint.close());
  const { url: localEndpoint } = await endpoint.ready();
  const owner = connect({ url: await makeOwner(server.superuser, localEndpoint), localEndpoint });
  await migrate(owner, await readMigrations());
  await owner.query(`ALTER ROLE daybook_app LOGIN PASSWORD 'app'`);
  const { key } = await issueKey(owner, KEY_SECRET, {
    name: 'faults',
    workspaces: ['faults'],
    scopes: ['events:write'],
  });

  const directory = await mkdtemp(join(tmpdir(), 'daybook-faults-'));
  ends.push(() => rm(directory, { recursive: true, force: true }));
  const worker = new Worker({
    scriptPath: bundle('src/worker.ts', directory),
    bindings: {
      DATABASE_URL: `postgres://daybook_app:app@localhost/${server.superuser.database}`,
      DAYBOOK_LOCAL_DATABASE: localEndpoint,
      DAYBOOK_KEY_SECRET: KEY_SECRET,
    },
  });
  ends.push(() => worker.close());
  await worker.start();
  return { server, worker, endpoint, key };
}
