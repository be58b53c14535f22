import type { Group } from './group.ts';

/** Whether so many events wait. */
export function holds(waiting: readonly Group[], count: number): boolean {
  let events = 0;
  return waiting.some((group) => {
    if (group.open === 0) return false;
    events += group.events.length;
    return events >= count;
  });
}

/**
 * What the next call carries: those that waited longest, as many as it takes, and a single one however large. An atomic
 * group travels alone: its failure is no other's.
 */
export function board(
  waiting: readonly Group[],
  { maxEvents, maxBytes }: { maxEvents: number; maxBytes: number },
): ReadonlySet<Group> {
  const aboard = new Set<Group>();
  let events = 0;
  let bytes = 0;
  for (const group of waiting) {
    if (group.open === 0) continue;
    events += group.events.length;
    bytes += group.bytes;
    const fits = events <= maxEvents && bytes <= maxBytes && !group.atomic;
    if (aboard.size > 0 && !fits) break;
    aboard.add(group);
    if (group.atomic) break;
  }
  return aboard;
}
