import type { Credentials, Engine, RunRequest, StatementResult } from './engine.ts';
import { ComputeUnreachable } from './engine-errors.ts';
import type { ServerAddress } from './postgres-session.ts';
import { SessionPool } from './session-pool.ts';

const defaultPort = 5432;
const defaultMax = 20;
const idleMs = 10_000;

export interface PostgresEngineOptions {
  /** Sessions per user, password and database; 20 if left out. */
  max?: number;
}

/**
 * Runs requests on a Postgres server. Sessions are pooled per login, cleaned after each request and closed
 * after ten idle seconds.
 *
 * @param options host and port, or a URL of which only these two and `sslmode` count
 * @throws UnsupportedParameter
 * @example
 * const engine = connectPostgres({ url: 'postgres://localhost:5432' });
 */
export function connectPostgres(
  options: PostgresEngineOptions & (ServerAddress | { url: string | URL }),
): Engine {
  const address = 'url' in options ? addressOf(new URL(options.url)) : options;
  return new PostgresEngine(address, options.max ?? defaultMax);
}

/** The URL asks for something of the connection that would not be done. */
export class UnsupportedParameter extends Error {
  override readonly name = 'UnsupportedParameter';
}

/** As libpq has them; `require` encrypts and checks no certificate. */
const tlsByMode = new Map<string | null, ServerAddress['tls']>([
  [null, false],
  ['disable', false],
  ['require', { rejectUnauthorized: false }],
  ['verify-full', true],
]);

function addressOf(url: URL): ServerAddress {
  const other = [...url.searchParams.keys()].find((name) => name !== 'sslmode');
  if (other !== undefined)
    throw new UnsupportedParameter(
      `of the parameters of a Postgres URL only sslmode is known: remove ${other}`,
    );
  const tls = tlsByMode.get(url.searchParams.get('sslmode'));
  if (tls === undefined)
    throw new UnsupportedParameter('sslmode can be disable, which is the default, require or verify-full');
  // IPv6 hosts come in brackets, which `net.connect` does not take.
  const host = decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1');
  return { host: host || 'localhost', port: Number(url.port) || defaultPort, tls };
}

class PostgresEngine implements Engine {
  readonly #address: ServerAddress;
  readonly #max: number;
  readonly #pools = new Map<string, SessionPool>();
  readonly #sweep: NodeJS.Timeout;
  #closed = false;

  constructor(address: ServerAddress, max: number) {
    this.#address = address;
    this.#max = max;
    this.#sweep = setInterval(() => void this.#closeIdle(), idleMs).unref();
  }

  async run(credentials: Credentials, request: RunRequest): Promise<StatementResult[]> {
    const pool = this.#poolFor(credentials);
    const session = await pool.acquire();
    try {
      return await session.run(request);
    } finally {
      pool.release(session);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweep);
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
    this.#pools.clear();
  }

  #poolFor({ user, password, database }: Credentials): SessionPool {
    if (this.#closed) throw new ComputeUnreachable('the engine is closed');
    const key = JSON.stringify([user, password, database]);
    const known = this.#pools.get(key);
    if (known) return known;
    const pool = new SessionPool(this.#address, { user, password, database }, this.#max);
    this.#pools.set(key, pool);
    return pool;
  }

  async #closeIdle(): Promise<void> {
    const before = performance.now() - idleMs;
    for (const [key, pool] of this.#pools) {
      await pool.closeIdle(before);
      if (pool.empty) this.#pools.delete(key);
    }
  }
}
