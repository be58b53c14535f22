import { expect, test } from 'vitest';
import { reportText } from './report-text.ts';
import { countReason, emptyReport, toBeDropped } from './report.ts';

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
  };
  expect(
    reportText(report, {
      retention,
      rejects: 'x.ndjson',
      dryRun: false,
      resumed: 500,
      kept: ['synced_at', 'note'],
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
