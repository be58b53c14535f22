import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { connect } from '../../src/db/client.ts';
import { migrate, readMigrations } from '../../src/db/migrate.ts';
import { makeOwner } from '../../src/local/dev-database.ts';
import { startEndpoint } from '../../src/local/endpoint.ts';
import { startPglite } from '../../src/local/pglite-engine.ts';
import { bundle } from './bundle.ts';
import { startSharedServer } from './shared-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** PGlite's data directory of a migrated database, and the owner's connection to it. */
    template: { directory: string; ownerUrl: string };
    /** the directory of the bundle that would be uploaded */
    bundleDirectory: string;
  }
}

/**
 * What is made once for all test files: a migrated database, which takes PGlite three seconds and a tenth of that to copy,
 * a server with another, and the bundle of the Worker. All temporary files of the run are in one directory, which goes with it.
 */
export default async function makeTemplate(project: TestProject): Promise<() => Promise<void>> {
  const root = await mkdtemp(join(tmpdir(), 'daybook-tests-'));
  // Postgres, which does not run as root, has to reach its own.
  await chmod(root, 0o755);
  process.env['TMPDIR'] = root;
  // Some 150 processes are started that read the same modules: half the time of the shortest is theirs.
  process.env['NODE_COMPILE_CACHE'] = join(root, 'compiled');

  const directory = join(root, 'template');
  const engine = await startPglite({ dataDir: directory });
  const endpoint = await startEndpoint({ engine });
  const ownerUrl = await makeOwner(engine.superuser, endpoint.url.href);
  const owner = connect({ url: ownerUrl, localEndpoint: endpoint.url.href });
  await migrate(owner, await readMigrations());
  await owner.query(`ALTER ROLE daybook_app LOGIN PASSWORD 'app'`);
  await endpoint.close();
  await engine.close();
  project.provide('template', { directory, ownerUrl });
  project.provide('bundleDirectory', dirname(bundle('src/worker.ts', join(root, 'bundle'))));
  const { server, shared } = await startSharedServer();
  project.provide('server', shared);
  return async () => {
    await server.remove();
    // Processes that end with those of the tests may still be writing.
    await rm(root, { recursive: true, maxRetries: 20 });
  };
}
