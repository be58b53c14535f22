import { expect, test } from 'vitest';
import { countPage } from './count-page.ts';
import type { Reason } from './reason.ts';
import { emptyReport } from './report.ts';

const required = (column: string): Reason => ({ column, code: 'required', detail: 'This must not be NULL.' });

function rejected(reasons: Reason[]) {
  const row = { place: {}, cursor: [], done: 1, content: { ok: true as const, values: {} } };
  return { row, prepared: { ok: false as const, reasons } };
}

test('a rejected row counts once under each kind of its reasons', () => {
  const report = emptyReport();
  const page = [rejected([required('a'), required('b'), required('a')]), rejected([required('b')])];
  const rows = page.map(({ row }) => row);
  const prepared = page.map(({ prepared }) => prepared);
  countPage(report, { rows, prepared, stored: [], fresh: new Set() });
  expect(report).toMatchObject({ read: 2, rejected: 2, reasons: { 'a: required': 1, 'b: required': 2 } });
});
