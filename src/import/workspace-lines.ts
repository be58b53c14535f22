import type { Report } from './report.ts';

/** Workspaces that a report names; the others are one line. */
const MAX_SHOWN = 10;

/** A line of the report: a name, how many, and what there is to say of it. */
type Line = [name: string, count: number, note?: string | undefined];

/**
 * Where the events go, the new ones first: a workspace that is misspelt is a new one with few events.
 * @param asked that of the command line; if all go there, and it is there, there is nothing to say
 */
export function workspaceLines(
  { workspaces, elsewhere }: Pick<Report, 'workspaces' | 'elsewhere'>,
  asked: string | undefined,
): Line[] {
  if (workspaces.every(({ id, is_new: isNew }) => id === asked && !isNew)) return [];
  const sorted = workspaces.toSorted(
    (one, other) => Number(other.is_new) - Number(one.is_new) || other.events - one.events,
  );
  const rest = sorted.splice(MAX_SHOWN);
  // In quotes a space or control character is seen.
  const lines = sorted.map(({ id, events, is_new: isNew }): Line => [
    JSON.stringify(id),
    events,
    isNew ? 'new' : undefined,
  ]);
  if (rest.length === 0) return lines;
  const sum = rest.reduce((sum, { events }) => sum + events, elsewhere);
  const fresh = rest.filter(({ is_new: isNew }) => isNew).length;
  const name = elsewhere > 0 ? `and more than ${rest.length} more` : `and ${rest.length} more`;
  return [...lines, [name, sum, fresh > 0 ? `${fresh} of them new` : undefined]];
}
