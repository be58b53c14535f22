import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { TestServer } from '../support/postgres-server.ts';

const PATIENCE = 60_000;

/**
 * Asks the server itself, past the endpoint and its faults, on a connection of its own; while the server is down, again.
 * @throws the driver's error when that has gone on for a minute
 */
export async function query<Row extends pg.QueryResultRow>(
  server: TestServer,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const until = performance.now() + PATIENCE;
  for (;;) {
    const connection = new pg.Client({ host: '127.0.0.1', port: server.port, ...server.superuser });
    // A crash of the server also breaks connections that wait for nothing.
    connection.on('error', () => {});
    try {
      await connection.connect();
      return (await connection.query<Row>(text, [...values])).rows;
    } catch (error) {
      if (performance.now() > until || !isDown(error)) throw error;
      await sleep(100);
    } finally {
      await connection.end().catch(() => {});
    }
  }
}

/** A broken connection has no SQLSTATE; 57P is a server that stops, starts or has crashed. */
function isDown(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return !(error instanceof pg.DatabaseError) || (error.code ?? '').startsWith('57P');
}
