import { eq } from 'drizzle-orm';
import type { Sql } from '../db/client.ts';
import { events } from '../db/schema.ts';
import { isId, timeOf } from '../events/id.ts';
import { eventColumns, type EventView } from './event-view.ts';
import { every, readIn, withAddresses } from './read.ts';

/** One event of a workspace; its id tells the partition. @returns nothing when the workspace has no such event */
export async function getEvent(client: Sql, workspaceId: string, id: string): Promise<EventView | undefined> {
  if (!isId(id)) return undefined;
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
