import type { Group, WriteOutcome } from './group.ts';

/** What a flush carried, how long it took in ms, and how many of its events ended in which way; `open` ones go on. */
export type FlushReport = { requests: number; bytes: number; ms: number } & Partial<
  Record<WriteOutcome['result'] | 'open', number>
>;

export function reportOf(groups: readonly Group[], ms: number): FlushReport {
  const bytes = groups.reduce((sum, group) => sum + group.bytes, 0);
  const report: FlushReport = { requests: groups.length, bytes, ms };
  for (const { outcomes, open } of groups) {
    // Those that are open are holes in it.
    for (const { result } of Object.values(outcomes)) report[result] = (report[result] ?? 0) + 1;
    if (open > 0) report.open = (report.open ?? 0) + open;
  }
  return report;
}
