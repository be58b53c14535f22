import { Socket } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import { DataDirectoryLocked, lockDataDirectory } from './data-directory-lock.ts';
import { frontendMessages } from './frontend-messages.ts';
import { dieWithParent } from './parent-watch.ts';

/** What the process tells its parent once, over the IPC channel. */
export type StartReport = { ready: true } | { ready: false; locked: boolean; message: string };

/** The descriptor on which the parent speaks the Postgres protocol. */
const wireDescriptor = 3;

/** AuthenticationOk and ReadyForQuery (idle): the parent is trusted, and checks logins itself. */
const welcome = Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', 'latin1');

/** PGlite's own, but for the search path, which it narrows to `public`. */
const startParams = PGlite.defaultStartParams.map((param) =>
  param === 'search_path=public' ? 'search_path="$user", public' : param,
);

async function open(dataDir: string | undefined): Promise<{ database: PGlite; unlock: () => void }> {
  const unlock = dataDir === undefined ? () => {} : lockDataDirectory(dataDir);
  try {
    const database = await PGlite.create({ startParams, ...(dataDir !== undefined && { dataDir }) });
    return { database, unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

async function serve(socket: Socket, database: PGlite): Promise<void> {
  let greeted = false;
  for await (const messages of frontendMessages(socket)) {
    if (greeted) {
      await answer(socket, database, messages);
    } else {
      socket.write(welcome);
      greeted = true;
    }
  }
}

async function answer(socket: Socket, database: PGlite, messages: Buffer): Promise<void> {
  try {
    await database.execProtocolRawStream(messages, {
      // The chunk is a view into memory that the next one overwrites.
      onRawData: (chunk) => socket.write(Uint8Array.from(chunk)),
    });
  } catch (error) {
    // A failure in WebAssembly leaves the database in no state to go on; Postgres' own errors are answers.
    process.stderr.write(
      `the embedded database failed: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exit(1);
  }
}

async function main(dataDir: string | undefined): Promise<void> {
  dieWithParent();
  // An interrupt at the terminal reaches the whole process group; the parent decides when this one ends.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  let opened: Awaited<ReturnType<typeof open>>;
  try {
    opened = await open(dataDir);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await report({ ready: false, locked: error instanceof DataDirectoryLocked, message });
    process.exit(1);
  }
  const socket = new Socket({ fd: wireDescriptor });
  await report({ ready: true });
  // However the parent left, the database is to be closed.
  await serve(socket, opened.database).catch(() => {});
  await opened.database.close();
  opened.unlock();
  process.exit(0);
}

function report(message: StartReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.send) process.send(message, () => resolve());
    else resolve();
  });
}

await main(process.argv[2]);
