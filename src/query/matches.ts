import { and, asc, desc, eq, gt, gte, inArray, lt, lte, or, sql, type SQL } from 'drizzle-orm';
import { union } from 'drizzle-orm/pg-core';
import { events, eventTargets } from '../db/schema.ts';
import { lowestId, timeOf } from '../events/id.ts';
import type { ListQuery } from './filters.ts';
import { every, type Database } from './read.ts';

/** Which events of a workspace, from where on and how many. */
export interface Selection {
  workspaceId: string;
  query: ListQuery;
  /** id of the last event already seen */
  after: string | undefined;
  count: number;
}

/**
 * The keys of matching events, in order. Each branch walks one index that is led by a single value and ended by id, and
 * stops after `count`; their union is as bounded as they are. Without such a value the primary key is walked.
 */
export function matches(db: Database, selection: Selection) {
  const { query, count } = selection;
  const ordered = query.order === 'asc' ? asc : desc;

  const fromEvents = (driver: SQL | undefined) =>
    db
      .select({ id: events.id, createdAt: events.createdAt, size: events.size })
      .from(events)
      .where(
        every(
          driver,
          eq(events.workspaceId, selection.workspaceId),
          reach(selection),
          ...ownFilters(query),
          ownTarget(query),
        ),
      )
      .orderBy(ordered(events.id))
      .limit(count);

  const fromRelated = (driver: SQL) =>
    db
      .select({ id: events.id, createdAt: events.createdAt, size: events.size })
      .from(eventTargets)
      .innerJoin(
        events,
        every(
          eq(events.workspaceId, eventTargets.workspaceId),
          eq(events.id, eventTargets.eventId),
          eq(events.createdAt, eventTargets.createdAt),
        ),
      )
      .where(
        every(
          driver,
          eq(eventTargets.workspaceId, selection.workspaceId),
          eq(events.workspaceId, selection.workspaceId),
          reach(selection, { id: eventTargets.eventId, createdAt: eventTargets.createdAt }),
          query.target_type && inArray(eventTargets.targetType, query.target_type),
          ...ownFilters(query),
        ),
      )
      .orderBy(ordered(eventTargets.eventId))
      .limit(count);

  const byTarget = query.target_id
    ? query.target_id.map(
        (id) => [fromEvents(eq(events.targetId, id)), fromRelated(eq(eventTargets.targetId, id))] as const,
      )
    : query.target_type?.map(
        (type) =>
          [fromEvents(eq(events.targetType, type)), fromRelated(eq(eventTargets.targetType, type))] as const,
      );
  const branches = byTarget?.flat() ?? drivers(query).map(fromEvents);

  const [first, second, ...others] = branches;
  if (first === undefined) throw new Error('a list has one branch or more');
  if (second === undefined) return first.as('matches');
  return union(first, second, ...others)
    .orderBy(query.order === 'asc' ? sql`id ASC` : sql`id DESC`)
    .limit(count)
    .as('matches');
}

/** The single values by which an index can be walked; `undefined` is the primary key. */
function drivers(query: ListQuery): (SQL | undefined)[] {
  if (query.actor_id) return query.actor_id.map((id) => eq(events.actorId, id));
  if (query.action?.every((action) => !action.endsWith('*')))
    return query.action.map((action) => eq(events.action, action));
  return [undefined];
}

/** Everything but the target, which may be a related one. */
function ownFilters(query: ListQuery): (SQL | undefined)[] {
  return [
    query.actor_id && inArray(events.actorId, query.actor_id),
    query.actor_type && inArray(events.actorType, query.actor_type),
    query.action && or(...query.action.map(actionMatches)),
  ];
}

function ownTarget(query: ListQuery): SQL | undefined {
  return and(
    query.target_id && inArray(events.targetId, query.target_id),
    query.target_type && inArray(events.targetType, query.target_type),
  );
}

/** A prefix is a range: row-level security keeps LIKE off the index. U+10FFFF sorts last in byte order. */
function actionMatches(action: string): SQL | undefined {
  if (!action.endsWith('*')) return eq(events.action, action);
  const prefix = action.slice(0, -1);
  return and(gte(events.action, prefix), lt(events.action, `${prefix}\u{10FFFF}`));
}

interface KeyColumns {
  id: typeof events.id | typeof eventTargets.eventId;
  createdAt: typeof events.createdAt | typeof eventTargets.createdAt;
}

/** Time bounds and the cursor, on the id for the index and on the time for choosing partitions. */
function reach({ query, after }: Selection, { id, createdAt }: KeyColumns = events): SQL | undefined {
  const onward = query.order === 'asc' ? ([gt, gte] as const) : ([lt, lte] as const);
  return and(
    query.from !== undefined
      ? and(gte(id, lowestId(query.from)), gte(createdAt, new Date(query.from)))
      : undefined,
    query.to !== undefined ? and(lt(id, lowestId(query.to)), lt(createdAt, new Date(query.to))) : undefined,
    after !== undefined
      ? and(onward[0](id, after), onward[1](createdAt, new Date(timeOf(after))))
      : undefined,
  );
}
