import { DESKTOP_BAD, desktopRow, NO_TIMES, withoutIds, type SourceCase } from './cases.ts';

const events = (n: number) => ({
  source_id: n % 41 === 7 ? 'null' : `"old-${n}"`,
  action: '"invoice.paid"',
  actor: `{"type":"user","id":"u-${n % 50}"}`,
  target: `{"type":"invoice","id":"i-${n}"}`,
  created_at: JSON.stringify(new Date(Date.UTC(2026, n % 9, 1, 2, 3, n % 60)).toISOString()),
  context: n % 3 === 0 ? '{"ip_address":"203.0.113.7"}' : '{}',
  // Of rows without an id some are the same.
  metadata: n % 41 === 7 ? '{}' : `{"n":${n}}`,
});

/** Sources that are files: of CSV the values are its texts, of NDJSON they are JSON. */
export const FILE_CASES: readonly SourceCase[] = [
  {
    title: "the desktop app's export as CSV",
    preset: 'desktop',
    engine: 'csv',
    ddl: '',
    table: '',
    id: 'id',
    good: withoutIds(desktopRow),
    bad: [...DESKTOP_BAD, ...NO_TIMES.map((timestamp) => ({ timestamp })), { action: 'LOGN' }],
  },
  {
    title: 'events in NDJSON',
    preset: undefined,
    engine: 'ndjson',
    ddl: '',
    table: '',
    id: 'source_id',
    good: events,
    bad: [
      { action: '"no action!"' },
      { actor: '{"type":"user"}' },
      { target: '{}' },
      { created_at: '"yesterday"' },
      { created_at: '"1969-12-31T23:59:59Z"' },
      { context: '{"ip_address":"localhost"}' },
      { metadata: `{"a":"${'x'.repeat(70_000)}"}` },
      { more: '1' },
    ],
  },
];
