import type { PreparedRow } from './prepare-row.ts';
import { kindOf, type Reason } from './reason.ts';
import { countIn, countReason, countWorkspace, type Report } from './report.ts';
import type { SourceRow } from './source.ts';
import type { Stored } from './store-events.ts';

/** A page of rows and what became of them. */
export interface SettledPage {
  rows: readonly SourceRow[];
  /** of each row */
  prepared: readonly PreparedRow[];
  /** of each that could be prepared */
  stored: readonly Stored[];
  /** workspaces that the import meets as new */
  fresh: ReadonlySet<string>;
}

export interface RejectedRow {
  row: SourceRow;
  reasons: readonly Reason[];
}

/** Counts the rows of a page in the report. @returns those that are rejected, in their order */
export function countPage(report: Report, { rows, prepared, stored, fresh }: SettledPage): RejectedRow[] {
  const rejected: RejectedRow[] = [];
  const byWorkspace = new Map<string, number>();
  const answers = stored.values();
  for (const [index, row] of rows.entries()) {
    const event = prepared[index];
    const answer = event?.ok === true ? answers.next().value : undefined;
    report.read += 1;
    if (event?.ok === true && (answer?.result === 'stored' || answer?.result === 'already')) {
      report[answer.result] += 1;
      if (event.event.redacted.length > 0) report.redacted += 1;
      countIn(report.months, event.event.createdAt.slice(0, 7));
      const { workspaceId } = event.event;
      byWorkspace.set(workspaceId, (byWorkspace.get(workspaceId) ?? 0) + 1);
      continue;
    }
    const reasons = reasonsOf(event, answer);
    report.rejected += 1;
    for (const kind of new Set(reasons.map(kindOf))) countReason(report.reasons, kind);
    rejected.push({ row, reasons });
  }
  for (const [id, events] of byWorkspace) countWorkspace(report, id, events, fresh);
  return rejected;
}

function reasonsOf(event: PreparedRow | undefined, answer: Stored | undefined): readonly Reason[] {
  if (event?.ok === false) return event.reasons;
  if (answer?.result === 'rejected') return [answer.reason];
  throw new Error('every row is prepared, and every event that is sent has an answer');
}
