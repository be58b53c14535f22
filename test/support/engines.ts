import { neon, neonConfig } from '@neondatabase/serverless';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Credentials, Engine } from '../../src/local/engine.ts';
import { type Endpoint, startEndpoint } from '../../src/local/endpoint.ts';
import { connectPostgres } from '../../src/local/postgres-engine.ts';
import { startEmbedded } from './embedded.ts';
import { makeSharedDatabase } from './shared-server.ts';

const startTimeoutMs = 60_000;

/** An engine behind an endpoint, and the two ways to speak to it. */
export class TestDatabase {
  readonly engine: Engine;
  readonly endpoint: Endpoint;
  readonly superuser: Credentials;

  constructor(engine: Engine, endpoint: Endpoint, superuser: Credentials) {
    this.engine = engine;
    this.endpoint = endpoint;
    this.superuser = superuser;
  }

  /** Neon's driver, as the superuser unless told otherwise. */
  sql(credentials: Partial<Credentials> = {}) {
    return neon(this.connectionString(credentials));
  }

  /** A request by hand: status, headers and parsed body. */
  async post(body: unknown, headers: Record<string, string> = {}, credentials: Partial<Credentials> = {}) {
    const response = await fetch(this.endpoint.url, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Neon-Connection-String': this.connectionString(credentials), ...headers },
    });
    // Tests compare the body as a whole or in parts; its type is for them to claim.
    return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
  }

  connectionString(credentials: Partial<Credentials>): string {
    const { user, password, database } = { ...this.superuser, ...credentials };
    const [login, secret, name] = [user, password, database].map(encodeURIComponent);
    return `postgresql://${login}:${secret}@localhost/${name}`;
  }
}

interface Started {
  engine: Engine;
  superuser: Credentials;
  remove(): Promise<void>;
}

async function pglite(): Promise<Started> {
  const { engine, remove } = await startEmbedded();
  return { engine, superuser: engine.superuser, remove };
}

async function postgres(): Promise<Started> {
  const { port, superuser, drop } = await makeSharedDatabase();
  const engine = connectPostgres({ host: '127.0.0.1', port });
  const remove = async () => {
    await engine.close();
    await drop();
  };
  return { engine, superuser, remove };
}

/** Runs the same tests against PGlite and against a real server, each behind an endpoint of its own. */
export function describeEngines(title: string, tests: (database: () => TestDatabase) => void): void {
  const engines: [string, () => Promise<Started>][] = [
    ['PGlite', pglite],
    ['a Postgres server', postgres],
  ];
  describe.each(engines)(`${title}, on %s`, (_name, start) => {
    let started: Started;
    let database: TestDatabase;
    beforeAll(async () => {
      started = await start();
      const endpoint = await startEndpoint({ engine: started.engine });
      database = new TestDatabase(started.engine, endpoint, started.superuser);
      neonConfig.fetchEndpoint = endpoint.url.href;
    }, startTimeoutMs);
    afterAll(async () => {
      await database.endpoint.close();
      await started.remove();
    }, startTimeoutMs);
    tests(() => database);
  });
}
