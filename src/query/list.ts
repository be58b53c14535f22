import { asc, desc, eq, lt, sql } from 'drizzle-orm';
import type { Sql } from '../db/client.ts';
import { events } from '../db/schema.ts';
import { listName, readCursor, writeCursor } from './cursor.ts';
import { eventColumns, type EventView } from './event-view.ts';
import type { ListQuery } from './filters.ts';
import { matches } from './matches.ts';
import { every, readIn, withAddresses } from './read.ts';

const DEFAULT_LIMIT = 50;
/** Bytes of events in one page: Neon answers 10 MiB at most. The first event always comes. */
const PAGE_BYTES = 4 * 1024 * 1024;

export interface Page {
  data: EventView[];
  has_more: boolean;
  next_cursor: string | null;
}

/**
 * One page of a workspace's events, newest first unless `order=asc`.
 * @throws ProblemError for a cursor of another list, or when the database fails
 */
export async function listEvents(client: Sql, workspaceId: string, query: ListQuery): Promise<Page> {
  const { limit = DEFAULT_LIMIT, cursor, order = 'desc', ...filters } = query;
  const list = await listName([workspaceId, order, Object.entries(filters).toSorted()]);
  const after = cursor === undefined ? undefined : readCursor(cursor, list);

  const rows = await readIn(client, workspaceId, (db) => {
    const matching = matches(db, { workspaceId, query, after, count: limit + 1 });
    const inOrder = order === 'asc' ? sql`${matching.id} ASC` : sql`${matching.id} DESC`;
    const page = db
      .select({
        id: matching.id,
        createdAt: matching.createdAt,
        found: sql<number>`(count(*) OVER ())::int`.as('found'),
        place: sql<number>`(row_number() OVER (ORDER BY ${inOrder}))::int`.as('place'),
        before: sql<number>`sum(${matching.size}) OVER (ORDER BY ${inOrder}) - ${matching.size}`.as('before'),
      })
      .from(matching)
      .as('page');
    return db
      .select({ ...eventColumns, found: page.found })
      .from(page)
      .innerJoin(
        events,
        every(
          eq(events.workspaceId, workspaceId),
          eq(events.id, page.id),
          eq(events.createdAt, page.createdAt),
        ),
      )
      .where(every(sql`${page.place} <= ${limit}`, lt(page.before, PAGE_BYTES)))
      .orderBy(order === 'asc' ? asc(events.id) : desc(events.id));
  });

  const last = rows.at(-1);
  const hasMore = last !== undefined && last.found > rows.length;
  return {
    data: await withAddresses(client, workspaceId, rows),
    has_more: hasMore,
    next_cursor: hasMore ? writeCursor({ id: last.id, list }) : null,
  };
}
