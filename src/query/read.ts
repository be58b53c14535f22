import { and, between, eq, inArray, sql, type SQL } from 'drizzle-orm';
import { drizzle, type NeonHttpDatabase } from 'drizzle-orm/neon-http';
import type { BatchItem } from 'drizzle-orm/batch';
import { READ_LIMIT } from '../db/call.ts';
import type { Sql } from '../db/client.ts';
import { toFailure } from '../db/failure.ts';
import { eventIps } from '../db/schema.ts';
import { ProblemError } from '../http/problem.ts';
import { within } from '../http/within.ts';
import { eventView, type EventRow, type EventView } from './event-view.ts';

export type Database = NeonHttpDatabase<Record<string, never>>;

/** Sets the workspace whose rows the rest of the transaction may read (row-level security). */
function inWorkspace(db: Database, workspaceId: string): BatchItem<'pg'> {
  return db.execute(sql`SELECT set_config('daybook.workspace_id', ${workspaceId}, true)`);
}

/**
 * Reads as one workspace.
 * @throws ProblemError (503) when the database fails or does not answer
 */
export async function readIn<T>(
  client: Sql,
  workspaceId: string,
  query: (db: Database) => BatchItem<'pg'> & PromiseLike<T>,
): Promise<T> {
  const db = drizzle({ client });
  let answer: unknown[] | undefined;
  try {
    answer = await within(READ_LIMIT, db.batch([inWorkspace(db, workspaceId), query(db)]));
  } catch (error) {
    const { kind, sqlstate } = toFailure(error);
    console.warn(JSON.stringify({ event: 'read_failed', kind, sqlstate }));
  }
  if (answer === undefined) {
    throw new ProblemError({
      code: 'unavailable',
      detail: 'The database does not answer. Try again.',
      retryAfter: 2,
    });
  }
  // drizzle types a batch by its items; the second is this query.
  return answer[1] as T;
}

/**
 * Adds the addresses of a page of events: by their ids and the page's time bounds, for a join would plan over every day.
 * Row-level security hides those past their time.
 */
export async function withAddresses(
  client: Sql,
  workspaceId: string,
  rows: EventRow[],
): Promise<EventView[]> {
  const held = rows.filter((row) => row.ipCommitment !== null);
  const addresses = new Map<string, string>();
  if (held.length > 0) {
    const times = held.map((row) => row.createdAt.getTime());
    const found = await readIn(client, workspaceId, (db) =>
      db
        .select({ eventId: eventIps.eventId, address: sql<string>`host(${eventIps.ipAddress})` })
        .from(eventIps)
        .where(
          every(
            eq(eventIps.workspaceId, workspaceId),
            inArray(
              eventIps.eventId,
              held.map((row) => row.id),
            ),
            between(eventIps.createdAt, new Date(Math.min(...times)), new Date(Math.max(...times))),
          ),
        ),
    );
    for (const { eventId, address } of found) addresses.set(eventId, address);
  }
  return rows.map((row) => eventView(row, addresses.get(row.id)));
}

/** All conditions at once. */
export function every(...conditions: (SQL | undefined)[]): SQL {
  return and(...conditions) ?? sql`true`;
}
