import { setTimeout as pause } from 'node:timers/promises';
import { NeonDbError } from '@neondatabase/serverless';
import pg from 'pg';
import type { Sql } from '../../src/db/client.ts';
import type { TestDatabase } from './database.ts';

/** A session of its own on the real server, for open transactions and locks. Ends with the database. */
export async function openSession(
  database: TestDatabase,
  role: 'app' | 'owner' | 'superuser',
): Promise<pg.Client> {
  if (database.port === undefined) throw new Error('sessions need the real server');
  const { username, password, pathname } = new URL(database[`${role}Url`]);
  const client = new pg.Client({
    host: '127.0.0.1',
    port: database.port,
    user: username,
    password,
    database: pathname.slice(1),
  });
  // The database may go before the session does.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Resolves once the session waits for a lock. */
export async function waitsForLock(database: TestDatabase, session: pg.Client | undefined): Promise<void> {
  // pg keeps the backend's process id, and its types do not tell.
  const { processID } = session as unknown as { processID: number };
  for (;;) {
    const [row] = await database.superuser.query(
      'SELECT wait_event_type FROM pg_stat_activity WHERE pid = $1',
      [processID],
    );
    if (row?.['wait_event_type'] === 'Lock') return;
    await pause(5);
  }
}

/**
 * Neon's driver on an open transaction of a session, so that what a test changes can be rolled back. What the driver
 * would run in a transaction of its own leaves no setting behind.
 */
export function driverOn(session: pg.Client): Sql {
  const run = async (text: string, values?: unknown[]) => {
    try {
      return (await session.query(text, values)).rows;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      throw Object.assign(new NeonDbError(error.message), { code: error.code });
    }
  };
  const query = (text: string, values?: unknown[]) => ({
    run: () => run(text, values),
    // As the driver's, it runs when it is awaited, unless it is part of a transaction.
    // oxlint-disable-next-line unicorn/no-thenable
    then: (...handlers: Parameters<Promise<unknown[]>['then']>) => run(text, values).then(...handlers),
  });
  const transaction = async (queries: { run(): Promise<unknown[]> }[]) => {
    await session.query('SAVEPOINT driver');
    try {
      const answers: unknown[][] = [];
      for (const query of queries) answers.push(await query.run());
      return answers;
    } finally {
      await session.query('ROLLBACK TO SAVEPOINT driver');
    }
  };
  return { query, transaction } as unknown as Sql;
}
