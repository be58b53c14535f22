import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { Client } from 'pg';
import { DataDirectoryLocked } from './data-directory-lock.ts';
import { ComputeUnreachable } from './engine-errors.ts';
import type { StartReport } from './pglite-process.ts';

const program = new URL('./pglite-process.ts', import.meta.url);
const wireDescriptor = 3;
/** How long a process that was asked to end may take, in milliseconds. */
const closeTimeoutMs = 5000;

/** A process of its own that runs PGlite, and the one connection to it. */
export class PgliteChild {
  readonly client: Client;
  /** Whether the connection still stands. */
  alive = true;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, client: Client) {
    this.#process = process;
    this.client = client;
    client.once('end', () => {
      this.alive = false;
    });
  }

  /**
   * Starts the process and waits until the database answers: about 3 s for a new directory.
   *
   * @param dataDir where the database lives; in memory if left out
   * @throws DataDirectoryLocked, ComputeUnreachable
   */
  static async start(dataDir: string | undefined): Promise<PgliteChild> {
    const child = fork(program, dataDir === undefined ? [] : [dataDir], {
      // Not the parent's flags: a test runner's loaders have no business there.
      execArgv: [],
      // The fourth is a socket for the Postgres protocol, which nobody else on the machine can reach.
      stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'ipc'],
    });
    await started(child);
    const client = new Client({
      stream: () => wireOf(child),
      user: 'postgres',
      database: 'postgres',
      ssl: false,
    });
    client.on('error', () => {});
    await client.connect();
    return new PgliteChild(child, client);
  }

  /** Lets the database shut down; kills the process if it does not. */
  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    const timeout = setTimeout(() => this.#process.kill('SIGKILL'), closeTimeoutMs);
    await Promise.all([once(this.#process, 'exit'), this.client.end()]);
    clearTimeout(timeout);
  }
}

async function started(child: ChildProcess): Promise<void> {
  const report = await Promise.race([
    once(child, 'message').then(([message]) => message as StartReport),
    once(child, 'exit').then(([code]): StartReport => ({
      ready: false,
      locked: false,
      message: `the process ended with code ${code}`,
    })),
  ]);
  if (report.ready) return;
  throw report.locked ? new DataDirectoryLocked(report.message) : new ComputeUnreachable(report.message);
}

/** The protocol stream, in the shape in which node-postgres wants one it has to connect itself. */
function wireOf(child: ChildProcess): Duplex {
  const wire = child.stdio[wireDescriptor] as Duplex;
  return Object.assign(wire, {
    setNoDelay: () => wire,
    connect: () => {
      process.nextTick(() => wire.emit('connect'));
      return wire;
    },
  });
}
