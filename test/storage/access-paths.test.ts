import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDatabase, type TestDatabase } from '../support/database.ts';

const ROWS = 100_000;
const PAGE = 'ORDER BY id DESC LIMIT 51';

/** Each access path of docs/design.md: a query, the parent's index that it must use, and what that must find. */
const PATHS: [string, string, string, RegExp][] = [
  ['everything', `SELECT id FROM audit.events ${PAGE}`, 'events_pkey', /workspace_id/],
  [
    'everything after a cursor',
    `SELECT id FROM audit.events WHERE id < '{id}' AND created_at <= '{time}' ${PAGE}`,
    'events_pkey',
    /id </,
  ],
  [
    'one event',
    `SELECT id FROM audit.events WHERE id = '{id}' AND created_at = '{time}'`,
    'events_pkey',
    /\(id = .*\(created_at = /,
  ],
  ['an actor', `SELECT id FROM audit.events WHERE actor_id = 'u_7' ${PAGE}`, 'events_actor', /actor_id =/],
  ['a target', `SELECT id FROM audit.events WHERE target_id = 't_7' ${PAGE}`, 'events_target', /target_id =/],
  [
    'a target type',
    `SELECT id FROM audit.events WHERE target_type = 'rare' ${PAGE}`,
    'events_target_type',
    /target_type =/,
  ],
  [
    'an action',
    `SELECT id FROM audit.events WHERE action = 'rare.done' ${PAGE}`,
    'events_action',
    /action =/,
  ],
  [
    'a prefix of actions',
    `SELECT id FROM audit.events WHERE action >= 'rare.' AND action < 'rare.\u{10FFFF}' ${PAGE}`,
    'events_action',
    /action >= .*action < /,
  ],
  [
    'failures',
    `SELECT id FROM audit.events WHERE outcome = 'failure' ${PAGE}`,
    'events_outcome',
    /outcome =/,
  ],
  [
    'whatever did not succeed',
    `SELECT id FROM audit.events WHERE outcome <> 'success' ${PAGE}`,
    'events_outcome',
    /workspace_id/,
  ],
  [
    'a request',
    `SELECT id FROM audit.events WHERE request_id = 'r_77' ${PAGE}`,
    'events_request',
    /request_id =/,
  ],
  [
    'a related target',
    `SELECT event_id FROM audit.event_targets WHERE target_id = 'x_7' ORDER BY event_id DESC LIMIT 51`,
    'event_targets_id',
    /target_id =/,
  ],
  [
    'a type of related targets',
    `SELECT event_id FROM audit.event_targets WHERE target_type = 'rare' ORDER BY event_id DESC LIMIT 51`,
    'event_targets_type',
    /target_type =/,
  ],
  [
    'an address',
    `SELECT event_id FROM audit.event_ips WHERE ip_address = '10.0.0.7' LIMIT 51`,
    'event_ips_address',
    /ip_address =/,
  ],
  [
    'a network',
    `SELECT event_id FROM audit.event_ips WHERE ip_address >= '10.0.0.0/30' AND ip_address <= '10.0.0.3' LIMIT 51`,
    'event_ips_address',
    /ip_address >= .*ip_address <= /,
  ],
  [
    'the addresses of a page',
    `SELECT ip_address FROM audit.event_ips WHERE event_id = ANY ('{{id}}') AND created_at BETWEEN '{time}' AND '{time}'`,
    'event_ips_pkey',
    /event_id =/,
  ],
];

let database: TestDatabase;
/** Indexes of partitions by the parent's index. */
let parents: Map<string, string>;
const sample = { id: '', time: '' };

beforeAll(async () => {
  database = await startDatabase('postgres');
  const { owner } = database;
  // A week of rows of 20 workspaces; ids as the Worker makes them.
  await owner.query(
    `WITH made AS (
       SELECT n, at, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0')
              || '8' || substr(md5(n::text), 1, 15))::uuid AS id
       FROM (SELECT n, date_trunc('milliseconds', now() - n * interval '6 seconds') AS at FROM generate_series(1, $1::int) n) t
     ), events AS (
       INSERT INTO audit.events (workspace_id, id, created_at, occurred_at, action, actor_type, actor_id, target_type, target_id, outcome, request_id, size, leaf_hash)
       SELECT 'w_' || n % 20, id, at, at, CASE WHEN n % 1000 < 20 THEN 'rare.done' ELSE 'common.a' || n % 9 END, 'user', 'u_' || n / 20 % 500,
              CASE WHEN n % 1000 < 20 THEN 'rare' ELSE 'common' END, 't_' || n / 20 % 700, CASE WHEN n / 20 % 50 = 0 THEN 'failure' ELSE 'success' END,
              'r_' || n / 20, 200, sha256('leaf')
       FROM made
     ), targets AS (
       INSERT INTO audit.event_targets (workspace_id, target_type, target_id, event_id, created_at)
       SELECT 'w_' || n % 20, CASE WHEN n % 1000 < 20 THEN 'rare' ELSE 'common' END, 'x_' || n / 20 % 700, id, at FROM made
     )
     INSERT INTO audit.event_ips (workspace_id, event_id, created_at, ip_address, salt)
     SELECT 'w_' || n % 20, id, at, '10.0.0.0'::inet + n / 20 % 1000, decode(md5('salt'), 'hex') FROM made`,
    [ROWS],
  );
  await owner.query('ANALYZE audit.events, audit.event_targets, audit.event_ips');
  const [row] = await owner.query(
    `SELECT id, created_at::text AS time FROM audit.events WHERE workspace_id = 'w_7' LIMIT 1 OFFSET 2000`,
  );
  Object.assign(sample, row);
  const indexes = await owner.query(
    'SELECT inhrelid::regclass::text AS name, inhparent::regclass::text AS parent FROM pg_inherits',
  );
  parents = new Map(
    indexes.map(({ name, parent }) => [
      String(name).replace('audit.', ''),
      String(parent).replace('audit.', ''),
    ]),
  );
});
afterAll(() => database.close());

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Actual Rows': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

/** The scans of a plan as daybook_app gets it, under row-level security. */
async function scansOf(query: string): Promise<PlanNode[]> {
  const { app } = database;
  const [, rows] = await app.transaction([
    app.query(`SELECT set_config('daybook.workspace_id', 'w_7', true)`),
    app.query(`EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) ${query}`),
  ]);
  const [plan] = (rows?.[0]?.['QUERY PLAN'] ?? []) as { Plan: PlanNode }[];
  if (plan === undefined) throw new Error('EXPLAIN answers a plan');
  const nodes = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodes)];
  return nodes(plan.Plan).filter((node) => 'Relation Name' in node || 'Index Name' in node);
}

/** Rows of a partition that is read faster without its index: the first or the last of the week, by the time of day. */
const FEW = 500;

function touched(scan: PlanNode): number {
  return scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0);
}

it.each(PATHS)('finds %s by its index under row-level security', async (_name, query, index, condition) => {
  const scans = await scansOf(query.replaceAll('{id}', sample.id).replaceAll('{time}', sample.time));
  const events = scans.filter(({ 'Relation Name': relation }) => relation !== 'settings');
  const found = events.reduce((sum, scan) => sum + scan['Actual Rows'], 0);
  expect(found).toBeGreaterThan(0);
  for (const scan of events) {
    const name = scan['Index Name'];
    // A bitmap's heap scan has its index below it. A day of which there are a few rows only may be read any way.
    if (scan['Node Type'] === 'Bitmap Heap Scan' || touched(scan) === 0) continue;
    if (scan['Node Type'] === 'Seq Scan' && touched(scan) < FEW) continue;
    expect([scan['Node Type'], parents.get(name ?? '')]).toEqual([expect.stringMatching(/Index/), index]);
    expect(scan['Index Cond']).toMatch(condition);
    expect(scan['Rows Removed by Filter'] ?? 0).toBe(0);
  }
});

it('reads a page off the index in order, without sorting what matches', async () => {
  for (const [, query] of PATHS.filter(([name]) => ['everything', 'an actor', 'failures'].includes(name))) {
    const scans = await scansOf(query);
    const read = scans.reduce((sum, scan) => sum + scan['Actual Rows'], 0);
    expect(read).toBeLessThanOrEqual(51 + scans.length);
  }
});
