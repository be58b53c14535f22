import { eq } from 'drizzle-orm';
import type { Sql } from '../db/client.ts';
import { events } from '../db/schema.ts';
import { isId, timeOf } from '../events/id.ts';
import { MAX_TIME_MS } from '../events/time.ts';
import { eventColumns, type EventView } from './event-view.ts';
import { every, readIn, withAddresses } from './read.ts';

/** One event of a workspace; its id tells the partition. @returns nothing when the workspace has no such event */
export async function getEvent(client: Sql, workspaceId: string, id: string): Promise<EventView | undefined> {
  // A time that no event can have may be one that Postgres cannot read.
  if (!isId(id) || timeOf(id) > MAX_TIME_MS) return undefined;
  const key = id.toLowerCase();
  const rows = await readIn(client, workspaceId, (db) =>
    db
      .select(eventColumns)
      .from(events)
      .where(
        every(
          eq(events.workspaceId, workspaceId),
          eq(events.id, key),
          eq(events.createdAt, new Date(timeOf(key))),
        ),
      ),
  );
  const [view] = await withAddresses(client, workspaceId, rows);
  return view;
}
