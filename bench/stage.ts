import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import pg from 'pg';
import { issueKey } from '../src/auth/issue.ts';
import { connect } from '../src/db/client.ts';
import { migrate, readMigrations } from '../src/db/migrate.ts';
import { makeOwner } from '../src/local/dev-database.ts';
import { bundle } from '../test/support/bundle.ts';
import { startServer, type TestServer } from '../test/support/postgres-server.ts';

const KEY_SECRET = 'the secret of the benchmark and of nothing else';
const COMPATIBILITY = { compatibilityDate: '2026-10-20', compatibilityFlags: ['nodejs_compat'] };

/** The table and the indexes that the naive handler writes to. */
const NAIVE_TABLE = `
  CREATE TABLE audit_logs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), workspace_id text NOT NULL, actor_id text NOT NULL, actor_type text NOT NULL,
    action text NOT NULL, target_type text NOT NULL, target_id text, metadata jsonb DEFAULT '{}', old_value jsonb, new_value jsonb,
    ip_address inet, user_agent text, created_at timestamptz NOT NULL DEFAULT now());
  CREATE INDEX ON audit_logs (actor_id, created_at);
  CREATE INDEX ON audit_logs (target_id, created_at);
  CREATE INDEX ON audit_logs (created_at DESC);
  CREATE INDEX ON audit_logs (action)`;

/** Everything a run needs: a real server, the endpoint in a process of its own, and both Workers in workerd. */
export interface Stage {
  server: TestServer;
  /** superuser connections: to Daybook's database, to its twin that COPY fills, and to the naive handler's */
  daybook: pg.Client;
  copy: pg.Client;
  naive: pg.Client;
  daybookUrl: string;
  naiveUrl: string;
  key: string;
  close(): Promise<void>;
}

export async function setStage(): Promise<Stage> {
  const server = await startServer({ durable: true });
  const child = fork(new URL('endpoint-process.ts', import.meta.url), [String(server.port)]);
  const [{ url: endpoint }] = (await once(child, 'message')) as [{ url: string }];
  const admin = await client(server, 'postgres');
  const ownerUrl = await makeOwner(server.superuser, endpoint);
  for (const name of ['daybook', 'copied', 'naive'])
    await admin.query(`CREATE DATABASE ${name} OWNER daybook_owner`);

  const at = (url: string, database: string) => url.replace(/\/[^/]*$/, `/${database}`);
  for (const name of ['daybook', 'copied']) {
    await migrate(connect({ url: at(ownerUrl, name), localEndpoint: endpoint }), await readMigrations());
  }
  await admin.query(`ALTER ROLE daybook_app LOGIN PASSWORD 'app'`);
  const owner = connect({ url: at(ownerUrl, 'daybook'), localEndpoint: endpoint });
  const { key } = await issueKey(owner, KEY_SECRET, {
    name: 'bench',
    workspaces: ['acme'],
    scopes: ['events:write'],
  });
  const naive = await client(server, 'naive');
  await naive.query(NAIVE_TABLE);

  const directory = await mkdtemp(join(tmpdir(), 'daybook-bench-'));
  const databaseOf = (user: string, password: string, name: string) =>
    `postgres://${user}:${password}@localhost/${name}`;
  const daybookWorker = worker(bundle('src/worker.ts', directory), {
    DATABASE_URL: databaseOf('daybook_app', 'app', 'daybook'),
    DAYBOOK_LOCAL_DATABASE: endpoint,
    DAYBOOK_KEY_SECRET: KEY_SECRET,
  });
  const naiveWorker = worker(bundle('bench/naive-worker.ts', directory), {
    DATABASE_URL: databaseOf(server.superuser.user, server.superuser.password, 'naive'),
    DAYBOOK_LOCAL_DATABASE: endpoint,
  });
  const daybook = await client(server, 'daybook');
  const copy = await client(server, 'copied');
  return {
    server,
    daybook,
    copy,
    naive,
    daybookUrl: (await daybookWorker.unsafeGetDirectURL()).origin,
    naiveUrl: (await naiveWorker.unsafeGetDirectURL()).origin,
    key,
    close: async () => {
      await Promise.all([daybookWorker.dispose(), naiveWorker.dispose()]);
      await Promise.all([admin, daybook, copy, naive].map((connection) => connection.end()));
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
      await server.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function worker(scriptPath: string, bindings: Record<string, string>): Miniflare {
  return new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      scriptPath,
      modulesRoot: dirname(scriptPath),
      bindings,
      host: '127.0.0.1',
      // Past miniflare's own proxy, which costs both Workers more than it will ever do deployed.
      unsafeDirectSockets: [{ host: '127.0.0.1' }],
      // The Worker's line for each request goes to no terminal, which would cost the clients in this process their time.
      handleStructuredLogs: ({ level, message }) => {
        if (level === 'error' || level === 'warn') console.error(message);
      },
      queueProducers: { QUEUE: 'daybook' },
      ratelimits: {
        RATE_LIMIT: { namespace_id: '1001', simple: { limit: 1_000_000, period: 10 } },
        RATE_LIMIT_FIFTIES: { namespace_id: '1002', simple: { limit: 1_000_000, period: 10 } },
      },
      ...COMPATIBILITY,
    }),
  );
}

async function client(server: TestServer, database: string): Promise<pg.Client> {
  const { user, password } = server.superuser;
  const connection = new pg.Client({ host: '127.0.0.1', port: server.port, user, password, database });
  await connection.connect();
  return connection;
}
