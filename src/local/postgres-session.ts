import { connect } from 'node:net';
import { Client, type ClientConfig, DatabaseError } from 'pg';
import type { Credentials, RunRequest, StatementResult } from './engine.ts';
import { ComputeUnreachable, PostgresError } from './engine-errors.ts';
import { runStatements } from './run-statements.ts';

export interface ServerAddress {
  host: string;
  port: number;
  /** As node-postgres takes it; in clear text if left out. */
  tls?: ClientConfig['ssl'];
}

/** `DISCARD ALL` but for its `DISCARD PLANS`: plans hold no state, and planning them anew costs every call. */
const reset =
  'SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; DEALLOCATE ALL; UNLISTEN *; ' +
  'SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES';

const cancelRequestCode = 80_877_102;
const connectTimeoutMs = 5000;

/** What node-postgres keeps of BackendKeyData; its published types leave it out. */
interface BackendKey {
  processID: number;
  secretKey: number;
}

/** A connection to the server that is cleaned after every request. */
export class PostgresSession {
  /** When the session was last given back, by `performance.now()`. */
  idleSince = 0;
  ended = false;
  readonly #address: ServerAddress;
  readonly #client: Client & BackendKey;
  #clean: Promise<boolean> = Promise.resolve(true);

  private constructor(address: ServerAddress, client: Client) {
    this.#address = address;
    // Sound: the driver's class has these members; see `BackendKey`.
    this.#client = client as Client & BackendKey;
  }

  /**
   * Logs in.
   *
   * @throws PostgresError when refused, ComputeUnreachable when the server is down, starting, stopping or full
   */
  static async open(
    address: ServerAddress,
    credentials: Credentials,
    onEnd: (session: PostgresSession) => void,
  ): Promise<PostgresSession> {
    const client = new Client({
      host: address.host,
      port: address.port,
      ssl: address.tls ?? false,
      ...credentials,
      connectionTimeoutMillis: connectTimeoutMs,
    });
    // Without a listener, a connection that breaks between requests would end the process.
    client.on('error', () => {});
    try {
      await client.connect();
    } catch (error) {
      throw asLoginError(error);
    }
    const session = new PostgresSession(address, client);
    client.on('error', () => {
      session.ended = true;
    });
    client.on('end', () => {
      session.ended = true;
      onEnd(session);
    });
    return session;
  }

  /** Resolves once the last request's traces are gone; false if the session is of no more use. */
  async ready(): Promise<boolean> {
    return (await this.#clean) && !this.ended;
  }

  /** @throws PostgresError, ConnectionLost, ResultTooLarge */
  async run(request: RunRequest): Promise<StatementResult[]> {
    let cancelled: Promise<void> | undefined;
    const cancel = () => {
      cancelled = this.#cancel();
    };
    request.signal?.addEventListener('abort', cancel, { once: true });
    let failed = true;
    try {
      const results = await runStatements(this.#client, request);
      failed = false;
      return results;
    } finally {
      request.signal?.removeEventListener('abort', cancel);
      // A cancel request that is still under way must not hit the next request.
      await cancelled;
      this.#clean = this.#reset(failed);
    }
  }

  async close(): Promise<void> {
    await this.#client.end();
  }

  async #reset(failed: boolean): Promise<boolean> {
    const open = failed || this.#client.getTransactionStatus() !== 'I';
    try {
      await this.#client.query(open ? `ROLLBACK; ${reset}` : reset);
      return true;
    } catch {
      await this.#client.end();
      return false;
    }
  }

  /**
   * Sends a CancelRequest; the server closes that connection once it has passed the signal on. In clear text even where
   * the session is encrypted, as libpq did before version 17: it tells nothing but a number that ends this statement.
   */
  async #cancel(): Promise<void> {
    const message = Buffer.alloc(16);
    message.writeInt32BE(16, 0);
    message.writeInt32BE(cancelRequestCode, 4);
    message.writeInt32BE(this.#client.processID, 8);
    message.writeInt32BE(this.#client.secretKey, 12);
    const socket = connect(this.#address.port, this.#address.host);
    socket.on('error', () => {});
    socket.end(message);
    socket.resume();
    // Not `once` of node:events, which rejects on an error; a server that is gone runs nothing either.
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
    });
  }
}

/** Classes of SQLSTATE in which the server is there but takes no one in: no fault of the credentials. */
const unavailable = /^(08|53|57)/;

function asLoginError(error: unknown): Error {
  if (!(error instanceof DatabaseError)) {
    return new ComputeUnreachable('could not connect to the server', { cause: error });
  }
  const refusal = PostgresError.from(error);
  return unavailable.test(refusal.code)
    ? new ComputeUnreachable(refusal.message, { cause: refusal })
    : refusal;
}
