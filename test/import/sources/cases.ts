import { DAY, HOUR } from '../../support/aged.ts';
import type { Values } from './fill.ts';
import * as tables from './tables.ts';

/** A source, with rows that are valid and every way in which its schema lets one be invalid. */
export interface SourceCase {
  title: string;
  /** none of NDJSON */
  preset: string | undefined;
  engine: 'sqlite' | 'postgres' | 'csv' | 'ndjson';
  ddl: string;
  table: string;
  /** the column of the old id; a partitioned table may have none that is a key */
  id: string;
  good(n: number): Values;
  /** what makes a good row invalid */
  bad: readonly Values[];
}

const NOW = Date.now();

/** Half of them younger than 90 days, some older than what is kept, several at one moment. */
function timeOf(n: number): number {
  const ages = [(n % 8) * 11, 95 + (n % 3) * 31, (n % 4) * 11, 400, n % 7 === 0 ? 3000 : 200];
  return NOW - (ages[n % ages.length] ?? 0) * DAY - (n % 5) * HOUR - (n % 3);
}

const iso = (n: number) => new Date(timeOf(n)).toISOString();
/** As CURRENT_TIMESTAMP and most apps write it. */
const spaced = (n: number) => iso(n).replace('T', ' ').replace('Z', '');
const uuid = (n: number) =>
  `${n.toString(16).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const pick = <T>(values: readonly [T, ...T[]], n: number): T => values[n % values.length] ?? values[0];

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';
const address = (n: number) => pick([`203.0.113.${n % 250}`, '2001:DB8::1', '::ffff:10.1.2.3', null], n);
const forgotten = (n: number) => (n % 5 === 0 ? '[anonymized]' : address(n));

const deep = '['.repeat(40) + ']'.repeat(40);
const long = (length: number) => 'x'.repeat(length);
const large = JSON.stringify({ text: long(70_000) });
const soon = new Date(NOW + DAY).toISOString();

const column = (name: string, values: Values[string][]): Values[] =>
  values.map((value) => ({ [name]: value }));

/** What a time of Postgres may be and no event's may. */
export const NO_TIMES = [
  'infinity',
  '-infinity',
  '0044-03-15 BC',
  '12025-01-31',
  '1969-12-31 23:59:59+00',
  soon,
];

export const desktopRow = (n: number): Values => ({
  id: n % 97 === 0 ? `old/${n}` : uuid(n),
  user_id: `user-${n % 50}`,
  action: pick(['LOGIN', 'LOGOUT', 'TRANSACTION_CREATE', 'CONTACT_UPDATE', 'MAILBOX_CONNECT'], n),
  resource_type: pick(['SESSION', 'SESSION', 'TRANSACTION', 'CONTACT', 'MAILBOX'], n),
  resource_id: n % 4 === 0 ? null : `r-${n}`,
  metadata: pick(
    ['{"source":"app"}', null, '[1,2]', 'plain text', '{"n":1,"nested":{"a":[true,null]}}', ''],
    n,
  ),
  ip_address: address(n),
  user_agent: n % 3 === 0 ? null : AGENT,
  timestamp: spaced(n),
});

export const DESKTOP_BAD: Values[] = [
  { id: long(256) },
  ...column('user_id', ['', long(256)]),
  ...column('resource_id', ['', long(256)]),
  ...column('metadata', [
    '{"a":1,"a":2}',
    '{"a":1e999}',
    '{"a":12345678901234567890}',
    '{"a":"\\u0000"}',
    '{"a":"\\ud800"}',
    large,
    `{"a":${deep}}`,
  ]),
  ...column('ip_address', ['localhost', '203.0.113.7:8080', '1.2.3', '10.0.0.0/8', 'fe80::1%eth0']),
  { user_agent: long(2049) },
];

/** What SQLite takes whatever the column's type. */
const looseBad: Values[] = [
  ...column('timestamp', [
    '',
    'yesterday',
    '2025-02-30 10:00:00',
    '31.01.2025',
    0,
    -1,
    2_460_000.5,
    1e300,
    soon,
    '1900-01-01',
    new Uint8Array([1, 2]),
  ]),
  ...column('resource_id', [new Uint8Array([0xff, 0x00]), 'a\0b']),
  ...column('user_agent', [new Uint8Array(3), 'a\0b']),
  ...column('metadata', [new Uint8Array(3), '{"a":"b\0"}'.replace('\0', '\\u0000')]),
  { id: new Uint8Array([1]) },
];

const mainRow = (n: number): Values => ({
  ...desktopRow(n),
  user_id: n % 6 === 0 ? null : `user-${n % 50}`,
  action: pick(['LOGIN', 'SESSION_REFRESH', 'EXPORT_START', 'TERMS_ACCEPT', 'SETTINGS_UPDATE'], n),
  resource_type: pick(['SESSION', 'SESSION', 'EXPORT', 'USER', 'SETTINGS'], n),
  details: pick(['{"why":"test"}', null, 'a sentence', '"text"', '7', '{"source":"details"}', 'null'], n),
});

const mainBad: Values[] = [
  ...DESKTOP_BAD,
  ...column('resource_type', [null, '', 'WIDGET', 'session']),
  ...column('details', ['{"a":1e999}', large]),
  { timestamp: null },
];

/** What only SQLite takes as a key: none at all. */
export const withoutIds = (row: (n: number) => Values) => (n: number) =>
  n % 41 === 7 ? { ...row(n), id: null } : row(n);

export const CASES: readonly SourceCase[] = [
  {
    title: "the desktop app's migration in SQLite",
    preset: 'desktop',
    engine: 'sqlite',
    ddl: tables.DESKTOP_MIGRATION,
    table: 'audit_logs',
    id: 'id',
    good: (n) => ({
      ...withoutIds(desktopRow)(n),
      timestamp: pick<Values[string]>([spaced(n), iso(n), timeOf(n), Math.trunc(timeOf(n) / 1000)], n),
    }),
    bad: [...DESKTOP_BAD, ...looseBad],
  },
  {
    title: "the desktop app's main schema in SQLite",
    preset: 'desktop',
    engine: 'sqlite',
    ddl: tables.DESKTOP_MAIN,
    table: 'audit_logs',
    id: 'id',
    good: withoutIds(mainRow),
    bad: [...mainBad, ...looseBad, { details: new Uint8Array(2) }, { resource_type: 5 }],
  },
  {
    title: "the desktop app's migration in Postgres",
    preset: 'desktop',
    engine: 'postgres',
    ddl: tables.DESKTOP_MIGRATION,
    table: 'audit_logs',
    id: 'id',
    good: desktopRow,
    bad: [...DESKTOP_BAD, ...column('timestamp', NO_TIMES)],
  },
  {
    title: "the desktop app's main schema in Postgres",
    preset: 'desktop',
    engine: 'postgres',
    ddl: tables.DESKTOP_MAIN,
    table: 'audit_logs',
    id: 'id',
    good: mainRow,
    bad: [...mainBad, ...column('timestamp', NO_TIMES)],
  },
  {
    title: 'the control plane',
    preset: 'control-plane',
    engine: 'postgres',
    ddl: tables.CONTROL_PLANE,
    table: 'control_plane.audit_logs',
    id: 'id',
    good: (n) => ({
      id: uuid(n),
      actor_id: n % 3 === 1 ? 'system' : `actor-${n % 40}`,
      actor_type: pick(['user', 'system', 'api_key'], n),
      action: pick(['project.created', 'secret.read', 'member_invited'], n),
      target_type: pick(['project', 'user', 'api_key', 'secret', 'organization', 'team', 'cluster'], n),
      target_id: `t-${n}`,
      metadata: pick(['{"changes":{"name":["a","b"]}}', '{}', null, '[1]', '"text"', 'null'], n),
      ip_address: address(n),
      user_agent: AGENT,
      created_at: iso(n),
    }),
    bad: [
      ...column('actor_id', ['', long(256)]).map((row) => ({ ...row, actor_type: 'user' })),
      ...column('action', ['', 'has spaces', 'émis', long(129), '7days']),
      ...column('target_type', ['', long(129)]),
      ...column('target_id', ['', long(256)]),
      ...column('metadata', ['{"a":1e999}', '{"a":12345678901234567890}', large, `{"a":${deep}}`]),
      ...column('ip_address', ['10.0.0.0/8', '2001:db8::/32']),
      { user_agent: long(2049) },
      ...column('created_at', NO_TIMES),
    ],
  },
  ...[tables.GDPR, tables.GDPR_PARTITIONED].map((ddl, index): SourceCase => ({
    title: index === 0 ? 'the GDPR log' : 'the GDPR log in partitions, without a key',
    preset: 'gdpr',
    engine: 'postgres',
    ddl,
    table: 'audit_log',
    id: 'id',
    good: (n) => ({
      id: uuid(n),
      user_id: n % 4 === 0 ? null : uuid(n % 30),
      user_email: n % 8 === 0 ? null : `ada.${n % 30}@example.com`,
      action: pick(['CREATE', 'UPDATE', 'LOGIN', 'PERMISSION_DENIED', 'ROLE_CHANGE'], n),
      resource_type: pick(['MEMBER', 'VEHICLE', 'USER', 'SYSTEM'], n),
      resource_id: pick([uuid(n), String(n), 'system', null], n),
      old_value: pick(['{"status":"draft"}', null, '"text"', '17', 'null'], n),
      new_value: pick(['{"status":"sent"}', null, 'false', '[]'], n),
      ip_address: forgotten(n),
      user_agent: AGENT,
      metadata: pick(['{"format":"csv"}', '{}', null, '["x"]'], n),
      created_at: iso(n),
    }),
    bad: [
      { resource_id: '' },
      ...column('old_value', ['1e999', '{"a":1e999}', large, deep]),
      ...column('new_value', ['12345678901234567890', large]),
      ...column('metadata', ['{"a":1e999}', large]),
      ...column('ip_address', ['unknown', '999.1.1.1', '[anonymised]', '10.0.0.1, 10.0.0.2', long(500)]),
      { user_agent: long(2049) },
      ...column('created_at', NO_TIMES),
    ],
  })),
  {
    title: 'the task manager',
    preset: 'tasks',
    engine: 'postgres',
    ddl: tables.TASKS,
    table: 'audit_events',
    id: 'id',
    good: (n) => ({
      id: n,
      action_type: pick(['task_created', 'task_updated', 'attachment_uploaded', 'reminder_sent'], n),
      user_id: n % 4 === 3 ? null : n % 25,
      timestamp: spaced(n),
      resource_type: n % 3 === 0 ? null : pick(['task', 'task', 'attachment', 'reminder'], n),
      resource_id: n % 5 === 0 ? null : n,
      metadata: pick(
        ['{"task_title":"Pay"}', null, '{"old_status":"open","new_status":"done"}', '[]', '"x"'],
        n,
      ),
    }),
    bad: [
      ...column('action_type', ['', 'do it', '7days']),
      { action_type: 'task_archived', resource_type: null },
      ...column('resource_type', ['']),
      ...column('resource_id', ['']),
      ...column('metadata', [
        '{"a":1,"a":2}',
        '{"a":"\\u0000"}',
        '"\\ud800"',
        '{"a":1e999}',
        large,
        `{"a":${deep}}`,
      ]),
      ...column('timestamp', NO_TIMES),
    ],
  },
  {
    title: 'the workspace product',
    preset: 'workspace',
    engine: 'postgres',
    ddl: tables.WORKSPACE,
    table: 'audit_logs',
    id: 'id',
    good: (n) => ({
      id: `cl${n}`,
      workspace_id: `ws-${n % 3}`,
      user_id: n % 6 === 0 ? null : `u-${n % 20}`,
      action: pick(
        ['login', 'data_export_requested', 'settings_changed', 'oauth_connected', 'admin_action'],
        n,
      ),
      resource: n % 2 === 0 ? null : 'workspace',
      resource_id: n % 2 === 0 ? null : `r-${n}`,
      details: pick(['{"targetUserId":"u-9"}', null, '[1]', '"x"'], n),
      previous_value: pick(['{"theme":"dark"}', null, '"a"'], n),
      new_value: pick(['{"theme":"light"}', null, '"b"'], n),
      ip_address: address(n),
      user_agent: AGENT,
      created_at: spaced(n),
    }),
    bad: [
      ...column('workspace_id', [null, '', 'daybook', long(129)]),
      ...column('user_id', ['', long(256)]),
      ...column('action', ['', 'not an action', long(129)]),
      ...column('resource', ['', long(129)]),
      ...column('resource_id', ['', long(256)]),
      ...column('details', ['{"a":1e999}', large]),
      ...column('previous_value', ['12345678901234567890', deep]),
      ...column('new_value', ['{"a":1e999}', large]),
      ...column('ip_address', ['unknown', '::1%eth0']),
      { user_agent: long(2049) },
      ...column('created_at', NO_TIMES),
    ],
  },
];

/** Rows of a source, about one in a hundred invalid and each way of it at least once, and which they are. */
export function rowsOf(source: SourceCase, count: number): { rows: Values[]; invalid: Set<number> } {
  const every = Math.min(100, Math.floor(count / source.bad.length));
  const invalid = new Set<number>();
  const rows = Array.from({ length: count }, (_, n) => {
    const row = source.good(n);
    if (n % every !== every - 1) return row;
    invalid.add(n);
    return { ...row, ...unique(source.bad[Math.floor(n / every) % source.bad.length] ?? {}, n) };
  });
  return { rows, invalid };
}

/** Ids stay different where many rows have a bad one. */
function unique({ id, ...bad }: Values, n: number): Values {
  if (id === undefined) return bad;
  return { ...bad, id: typeof id === 'string' ? `${n}${id}` : new Uint8Array(Buffer.from(String(n))) };
}
