import { z } from 'zod';

const counts = z.record(z.string(), z.number());

/** What an import did, or would do. */
export const report = z.strictObject({
  read: z.number(),
  stored: z.number(),
  /** by an earlier run, or an earlier row that is the same */
  already: z.number(),
  rejected: z.number(),
  /** events in which secrets were replaced */
  redacted: z.number(),
  /** rejected rows by the kinds of their reasons: a row counts once under each */
  reasons: counts,
  /** events that are in the log now, by the month of their time */
  months: counts,
  /** the same, by workspace; a list, for a workspace may have any name. A state of before has none. */
  workspaces: z
    .array(z.strictObject({ id: z.string(), events: z.number(), is_new: z.boolean() }))
    .default([]),
  /** events of workspaces that are not in that list any more, for it is full */
  elsewhere: z.number().default(0),
});

export type Report = z.infer<typeof report>;

export function emptyReport(): Report {
  return {
    read: 0,
    stored: 0,
    already: 0,
    rejected: 0,
    redacted: 0,
    reasons: {},
    months: {},
    workspaces: [],
    elsewhere: 0,
  };
}

export function countIn(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** More than a person reads: the rest counts as one. */
const MAX_REASONS = 200;

export function countReason(reasons: Record<string, number>, name: string): void {
  const isCounted = Object.hasOwn(reasons, name) || Object.keys(reasons).length < MAX_REASONS;
  countIn(reasons, isCounted ? name : 'others');
}

/** What the state file keeps after each page. */
const MAX_WORKSPACES = 1000;

/** @param fresh those that were not there before the import */
export function countWorkspace(report: Report, id: string, events: number, fresh: ReadonlySet<string>): void {
  const counted = report.workspaces.find((workspace) => workspace.id === id);
  if (counted !== undefined) counted.events += events;
  else if (report.workspaces.length < MAX_WORKSPACES)
    report.workspaces.push({ id, events, is_new: fresh.has(id) });
  else report.elsewhere += events;
}

/** The retention that an import meets. */
export interface Retention {
  /** how long a month of events is kept */
  months: number;
  /** ms since 1970 */
  now: number;
}

/** What of the imported the next retention run drops, and how many months would keep all of it. */
export function toBeDropped(
  { months }: Pick<Report, 'months'>,
  retention: Retention,
): { events: number; needed: number } {
  let events = 0;
  let needed = retention.months;
  for (const [month, count] of Object.entries(months)) {
    const kept = monthsKept(month, retention.now);
    if (kept < retention.months) continue;
    events += count;
    needed = Math.max(needed, kept + 1);
  }
  return { events, needed };
}

/** Whole months that have passed since a month ended: with so many of retention it is dropped now. */
function monthsKept(month: string, now: number): number {
  const [year = 0, number = 0] = month.split('-').map(Number);
  const today = new Date(now);
  // The month's end is the first moment of the next, whose number counts from 0 here.
  return (today.getUTCFullYear() - year) * 12 + today.getUTCMonth() - number;
}
