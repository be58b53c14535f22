import type { Credentials } from './engine.ts';
import { ComputeUnreachable } from './engine-errors.ts';
import { PostgresSession, type ServerAddress } from './postgres-session.ts';

/** The sessions of one login. */
export class SessionPool {
  readonly #address: ServerAddress;
  readonly #credentials: Credentials;
  readonly #max: number;
  readonly #sessions = new Set<PostgresSession>();
  readonly #waiting: (() => void)[] = [];
  #idle: PostgresSession[] = [];
  #connecting = 0;
  #closed = false;

  constructor(address: ServerAddress, credentials: Credentials, max: number) {
    this.#address = address;
    this.#credentials = credentials;
    this.#max = max;
  }

  /** No session is open, opening or waited for. */
  get empty(): boolean {
    return this.#sessions.size + this.#connecting + this.#waiting.length === 0;
  }

  /**
   * Gives the session that was used last, so that a caller who sends one request at a time stays on one
   * session and never meets a lock that another session is about to drop.
   */
  async acquire(): Promise<PostgresSession> {
    while (!this.#closed) {
      const session = this.#idle.pop();
      if (session) {
        if (await session.ready()) return session;
      } else if (this.#sessions.size + this.#connecting < this.#max) {
        return this.#open();
      } else {
        await new Promise<void>((resolve) => {
          this.#waiting.push(resolve);
        });
      }
    }
    throw new ComputeUnreachable('the pool is closed');
  }

  /** Takes a session back at once; whoever gets it next waits for its reset. */
  release(session: PostgresSession): void {
    if (!session.ended) {
      session.idleSince = performance.now();
      this.#idle.push(session);
    }
    this.#waiting.shift()?.();
  }

  /** Ends the sessions nobody has used since `before`, by `performance.now()`. */
  async closeIdle(before: number): Promise<void> {
    const stale = this.#idle.filter((session) => session.idleSince < before);
    this.#idle = this.#idle.filter((session) => session.idleSince >= before);
    await Promise.all(stale.map((session) => session.close()));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }

  async #open(): Promise<PostgresSession> {
    this.#connecting += 1;
    try {
      const session = await PostgresSession.open(this.#address, this.#credentials, (ended) => {
        this.#forget(ended);
      });
      this.#sessions.add(session);
      if (!this.#closed) return session;
      await session.close();
      throw new ComputeUnreachable('the pool is closed');
    } finally {
      this.#connecting -= 1;
      // Room for another, if this one could not be opened.
      this.#waiting.shift()?.();
    }
  }

  #forget(session: PostgresSession): void {
    this.#sessions.delete(session);
    this.#idle = this.#idle.filter((idle) => idle !== session);
    this.#waiting.shift()?.();
  }
}
