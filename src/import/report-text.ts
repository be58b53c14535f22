import { NO_WORKSPACE } from './reason.ts';
import { workspaceLines } from './workspace-lines.ts';
import { toBeDropped, type Report, type Retention } from './report.ts';

/** The report, as a person reads it. */
export function reportText(
  report: Report,
  {
    retention,
    rejects,
    dryRun,
    resumed,
    kept,
    workspace,
  }: {
    retention: Retention;
    rejects: string;
    dryRun: boolean;
    resumed: number;
    /** columns that became metadata */
    kept: readonly string[];
    /** of rows that name none */
    workspace: string | undefined;
  },
): string {
  const lines = [
    line('read', report.read, resumed > 0 ? `${number(resumed)} of them before the interruption` : undefined),
    line(
      dryRun ? 'would be stored' : 'stored',
      report.stored,
      dryRun ? 'unless they are already' : undefined,
    ),
  ];
  if (!dryRun) lines.push(line('stored already', report.already));
  lines.push(line('rejected', report.rejected, report.rejected > 0 ? `in ${rejects}` : undefined));
  if (report.redacted > 0) lines.push(line('with secrets redacted', report.redacted));
  if (kept.length > 0)
    lines.push(
      '',
      `Columns kept in metadata, for ever: ${kept.join(', ')}. Say in a mapping what they are, or null to leave them out.`,
    );
  const reasons = byCount(report.reasons).map(([kind, count]) => [kind, count, hintOf(kind)] as const);
  lines.push(...section('Rejected, by reason (a row may count under several)', reasons));
  const meaning = dryRun ? 'not there yet' : 'made by this import';
  lines.push(...section(`Events, by workspace (new: ${meaning})`, workspaceLines(report, workspace)));
  lines.push(...section('Events, by month', Object.entries(report.months).sort()));
  const { events, needed } = toBeDropped(report, retention);
  if (events > 0) {
    lines.push(
      '',
      `${number(events)} ${events === 1 ? 'event is' : 'events are'} older than the ${retention.months} months for which events are kept: the next retention run drops ${events === 1 ? 'it' : 'them'}.`,
      `To keep all of them, before it runs: UPDATE audit.settings SET event_retention_months = ${needed};`,
    );
  }
  return lines.join('\n');
}

function byCount(counts: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(counts).sort(([, one], [, other]) => other - one);
}

function section(
  title: string,
  entries: readonly (readonly [name: string, count: number, note?: string | undefined])[],
): string[] {
  return entries.length === 0
    ? []
    : ['', title, ...entries.map(([name, count, note]) => line(`  ${name}`, count, note))];
}

function hintOf(kind: string): string | undefined {
  return kind.endsWith(`: ${NO_WORKSPACE}`) ? 'add --workspace, for rows that name none' : undefined;
}

function line(name: string, count: number, note?: string): string {
  return `${name.padEnd(40)} ${number(count).padStart(12)}${note === undefined ? '' : `  ${note}`}`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
