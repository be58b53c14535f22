import type { Credentials, Engine, RunRequest, Statement, StatementResult } from './engine.ts';
import { ComputeUnreachable, PostgresError, ResultTooLarge } from './engine-errors.ts';
import { PgliteChild } from './pglite-child.ts';
import { PgliteLogin } from './pglite-login.ts';
import { runStatements } from './run-statements.ts';

export interface PgliteEngine extends Engine {
  /** The role that owns the database; its password is set when the database is created. */
  superuser: Credentials;
}

const superuser: Credentials = { user: 'postgres', password: 'postgres', database: 'postgres' };

/** PGlite has to be given the user by name: `DEFAULT` and `RESET` leave it as it is. */
const reset =
  'ROLLBACK; SET SESSION AUTHORIZATION postgres; RESET ALL; CLOSE ALL; DEALLOCATE ALL; UNLISTEN *; ' +
  'SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES';

const setPassword = `ALTER ROLE postgres PASSWORD '${superuser.password}'`;

/**
 * Runs requests on PGlite in a process of its own, one at a time: it has a single session. If the process
 * dies, the request it was at fails with `ComputeUnreachable` and the next one starts it again.
 *
 * @param options.dataDir where the database lives; in memory, and gone with the process, if left out
 * @throws DataDirectoryLocked when another process serves that directory
 */
export async function startPglite(options: { dataDir?: string | undefined } = {}): Promise<PgliteEngine> {
  const engine = new SingleSessionEngine(options.dataDir);
  await engine.start();
  return engine;
}

class SingleSessionEngine implements PgliteEngine {
  readonly superuser = superuser;
  readonly #dataDir: string | undefined;
  readonly #login = new PgliteLogin(superuser.database);
  #child: PgliteChild | undefined;
  #closed = false;
  /** The last request in line, its cleaning included. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(dataDir: string | undefined) {
    this.#dataDir = dataDir;
  }

  async start(): Promise<PgliteChild> {
    const child = await PgliteChild.start(this.#dataDir);
    this.#child = child;
    const { rows } = await child.client.query<{ unset: boolean }>(
      `select rolpassword is null unset from pg_authid where rolname = 'postgres'`,
    );
    if (rows[0]?.unset) await child.client.query(setPassword);
    return child;
  }

  async run(credentials: Credentials, request: RunRequest): Promise<StatementResult[]> {
    const answer = this.#last.then(() => this.#runNext(credentials, request));
    // The reset is waited for by the next request only, not by this one's answer.
    this.#last = answer.then(
      () => this.#reset(),
      () => this.#reset(),
    );
    return answer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#child?.close();
    await this.#last;
  }

  async #runNext(credentials: Credentials, request: RunRequest): Promise<StatementResult[]> {
    if (this.#closed) throw new ComputeUnreachable('the engine is closed');
    refuseCopyIn(request.statements);
    try {
      const { client } = await this.#living();
      await this.#login.login(client, credentials);
      return await runStatements(client, request);
    } catch (error) {
      if (error instanceof PostgresError || error instanceof ResultTooLarge) throw error;
      throw new ComputeUnreachable('the database process ended', { cause: error });
    }
  }

  async #living(): Promise<PgliteChild> {
    if (this.#child?.alive) return this.#child;
    // The old process may hold the data directory until it is quite gone.
    await this.#child?.close();
    return this.start();
  }

  async #reset(): Promise<void> {
    if (!this.#child?.alive) return;
    try {
      await this.#child.client.query(reset);
    } catch {
      // A session that cannot be cleaned must not serve again.
      await this.#child.close();
    }
  }
}

const copyIn = /^\s*copy\b.*\bfrom\s+stdin\b/is;

/** PGlite's process dies of this one. A server's answer goes by the same words. */
function refuseCopyIn(statements: Statement[]): void {
  if (!statements.some(({ query }) => copyIn.test(query))) return;
  const message = 'COPY from stdin failed: COPY FROM STDIN is not supported';
  throw new PostgresError({ message, severity: 'ERROR', code: '57014' });
}
