import { expect, test } from 'vitest';
import { reportText } from './report-text.ts';
import { workspaceLines } from './workspace-lines.ts';
import { countReason, countWorkspace, emptyReport, toBeDropped } from './report.ts';

const retention = { months: 24, now: Date.UTC(2026, 10, 22) };

test.each([
  // The month ends as December 2024 begins, and is kept for 24 months from then.
  ['2024-11', 0, 24],
  ['2024-10', 7, 25],
  ['2024-01', 7, 34],
  ['2026-11', 0, 24],
  ['1970-01', 7, 682],
])('of %s the next run drops %i events, and %i months would keep them', (month, events, needed) => {
  expect(toBeDropped({ months: { [month]: 7 } }, retention)).toEqual({ events, needed });
});

test('a report says what became of every row', () => {
  const report = {
    ...emptyReport(),
    read: 1200,
    stored: 1000,
    already: 150,
    rejected: 50,
    redacted: 3,
    reasons: { 'action: unknown_value': 20, 'timestamp: invalid_time': 30, 'workspace_id: no_workspace': 1 },
    months: { '2026-02': 1000, '2024-01': 150 },
    workspaces: [
      { id: 'acme', events: 1149, is_new: false },
      { id: 'acme ', events: 1, is_new: true },
    ],
  };
  expect(
    reportText(report, {
      retention,
      rejects: 'x.ndjson',
      dryRun: false,
      resumed: 500,
      kept: ['synced_at', 'note'],
      workspace: 'acme',
    }).replaceAll(/ {2,}/g, '  '),
  ).toBe(
    `read  1,200  500 of them before the interruption
stored  1,000
stored already  150
rejected  50  in x.ndjson
with secrets redacted  3

Columns kept in metadata, for ever: synced_at, note. Say in a mapping what they are, or null to leave them out.

Rejected, by reason (a row may count under several)
  timestamp: invalid_time  30
  action: unknown_value  20
  workspace_id: no_workspace  1  add --workspace, for rows that name none

Events, by workspace (new: made by this import)
  "acme "  1  new
  "acme"  1,149

Events, by month
  2024-01  150
  2026-02  1,000

150 events are older than the 24 months for which events are kept: the next retention run drops them.
To keep all of them, before it runs: UPDATE audit.settings SET event_retention_months = 34;`,
  );
});

test('a report has a bounded number of reasons', () => {
  const reasons: Record<string, number> = {};
  for (let n = 0; n < 1000; n += 1) countReason(reasons, `column_${n}: required`);
  countReason(reasons, 'column_7: required');
  expect(Object.keys(reasons)).toHaveLength(201);
  expect(reasons).toMatchObject({ 'column_7: required': 2, others: 800 });
});

test('a report names few workspaces, first those that are new', () => {
  const report = emptyReport();
  const fresh = new Set(['new', '__proto__']);
  for (let n = 0; n < 998; n += 1) countWorkspace(report, `w${n}`, 5, fresh);
  for (const id of ['new', '__proto__']) countWorkspace(report, id, 1, fresh);
  countWorkspace(report, 'w7', 1, fresh);
  const lines = workspaceLines(report, undefined);
  expect(lines).toHaveLength(11);
  expect(lines.slice(0, 3)).toEqual([
    ['"new"', 1, 'new'],
    ['"__proto__"', 1, 'new'],
    ['"w7"', 6, undefined],
  ]);
  expect(lines.at(-1)).toEqual(['and 990 more', 4950, undefined]);
  countWorkspace(report, 'one more', 50, fresh);
  expect(report.workspaces).toHaveLength(1000);
  expect(workspaceLines(report, undefined).at(-1)).toEqual(['and more than 990 more', 5000, undefined]);
});

test.each([
  ['when all go where they are meant to', 'acme', false, 0],
  ['when that is new', 'acme', true, 1],
  ['when they go elsewhere', 'other', false, 1],
  ['when rows name it themselves', undefined, false, 1],
])('where events go is told, or not, %s: --workspace %s, new %s, %i lines', (_, asked, isNew, count) => {
  const workspaces = [{ id: 'acme', events: 3, is_new: isNew }];
  expect(workspaceLines({ workspaces, elsewhere: 0 }, asked)).toHaveLength(count);
});
