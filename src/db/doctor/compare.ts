import type { Sql } from '../client.ts';
import { migrationStatus, type Migration } from '../migrate.ts';
import { describe, type Description, type Facts } from './describe.ts';

/** Facts of a freshly migrated database, as `schema-snapshot.json` holds them. */
export interface Snapshot {
  facts: Record<string, string>;
  /** facts that every partition of a table has */
  partitions: Record<string, Record<string, string>>;
}

/** One difference, in words: what, and how it should be. */
export type Difference = string;

/** The table itself is checked by `retention_due`; a partition's name tells its time. */
const PARTITION = /^(events|event_targets|event_ips)_p\d{6,8}: /;

/** Takes a snapshot of a database that is as the migrations made it. */
export function snapshotOf({ facts, partitions }: Description): Snapshot {
  const samples = [...partitions].map(
    ([parent, siblings]) => [parent, siblings.values().next().value ?? new Map()] as const,
  );
  return {
    facts: sorted(facts),
    partitions: Object.fromEntries(samples.toSorted().map(([parent, sample]) => [parent, sorted(sample)])),
  };
}

/** Names every difference between the live database and what the migrations make. Changes nothing. */
export async function diagnose(sql: Sql, migrations: Migration[], snapshot: Snapshot): Promise<Difference[]> {
  const states = await migrationStatus(sql, migrations);
  const behind = states
    .filter(({ state }) => state !== 'applied')
    .map(({ name, state }) => `migration ${name} is ${state}`);
  if (behind.length > 0) return [...behind, 'the rest was not checked: apply the migrations first'];

  const live = await describe(sql);
  const differences = compare('', new Map(Object.entries(snapshot.facts)), live.facts);
  for (const [parent, expected] of Object.entries(snapshot.partitions)) {
    for (const [partition, facts] of live.partitions.get(parent) ?? []) {
      differences.push(...compare(`${partition}: `, new Map(Object.entries(expected)), facts));
    }
  }
  return [...differences, ...(await partitionDifferences(sql))];
}

function compare(prefix: string, expected: Facts, live: Facts): Difference[] {
  const missing = [...expected]
    .filter(([name]) => !live.has(name))
    .map(([name, is]) => `${prefix}${name} is missing (${is})`);
  const changed = [...live].flatMap(([name, is]) => {
    const should = expected.get(name);
    if (should === is || PARTITION.test(name)) return [];
    return [
      should === undefined
        ? `${prefix}${name} should not be there (${is})`
        : `${prefix}${name} is "${is}" and should be "${should}"`,
    ];
  });
  return [...missing, ...changed];
}

async function partitionDifferences(sql: Sql): Promise<Difference[]> {
  const due = await sql.query(
    `SELECT task, partition FROM audit.retention_due WHERE task = 'create' OR due_at < now() - interval '1 day'`,
  );
  const loose = await sql.query(
    'SELECT name FROM audit.partitions WHERE NOT attached AND expires_at > now()',
  );
  const settings = await sql.query('SELECT FROM audit.settings');
  return [
    ...due.map(({ task, partition }) =>
      task === 'create'
        ? `partition ${partition} is missing: run retention`
        : `partition ${partition} is overdue to ${task}: run retention`,
    ),
    ...loose.map(({ name }) => `partition ${name} is detached before its time`),
    ...(settings.length === 1 ? [] : ['settings has no row: retention has no policy']),
  ];
}

function sorted(facts: Facts): Record<string, string> {
  return Object.fromEntries([...facts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
