import type { Sql } from '../client.ts';
import { toFailure } from '../failure.ts';
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
  for (const [parent, partitions] of live.partitions) {
    const expected = snapshot.partitions[parent];
    for (const [partition, facts] of partitions) {
      if (expected === undefined)
        differences.push(`${partition} should not be there (it inherits from ${parent})`);
      else differences.push(...compare(`${partition}: `, new Map(Object.entries(expected)), facts));
    }
  }
  return [...differences, ...(await stateDifferences(sql, differences.length > 0))];
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

/** What setup mends. Before its first run nobody has a key yet. */
export const NO_LOGIN = 'role daybook_app cannot log in, and API keys were issued: run setup';

/** Each query names what is not as retention or setup makes it, and what is wrong with it. */
const STATE_QUERIES = [
  `SELECT format(CASE task WHEN 'create' THEN 'partition %1$s is missing: run retention'
                           WHEN 'expire' THEN 'table %1$s holds rows that are overdue to be deleted: run retention'
                           ELSE 'partition %1$s is overdue to %2$s: run retention' END, partition, task) AS text
   FROM audit.retention_due WHERE task = 'create' OR due_at < now() - interval '1 day'`,
  `SELECT format('partition %s is detached before its time', name) AS text FROM audit.partitions WHERE NOT attached AND expires_at > now()`,
  `SELECT format('partition %s holds %s and should hold %s, by its name', name, live, should) AS text
   FROM (SELECT p.name, pg_get_expr(c.relpartbound, c.oid) AS live, format('FOR VALUES FROM (%L) TO (%L)', p.lower_bound, p.upper_bound) AS should
         FROM audit.partitions p JOIN pg_class c ON c.oid = p.relation WHERE p.attached) b
   WHERE live <> should`,
  `SELECT format('partition %s of %s has a name that retention does not know', c.relname, i.inhparent::regclass) AS text
   FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN audit.partition_policy p ON i.inhparent = to_regclass('audit.' || p.parent)
   WHERE i.inhrelid NOT IN (SELECT relation FROM audit.partitions)`,
  `SELECT '${NO_LOGIN}' AS text FROM pg_roles WHERE rolname = 'daybook_app' AND NOT rolcanlogin AND EXISTS (SELECT FROM audit.api_keys)`,
  `SELECT 'settings has no row: retention has no policy' AS text WHERE NOT EXISTS (SELECT FROM audit.settings)`,
];

/** @param tolerant what the queries need may be missing, and has been named then */
async function stateDifferences(sql: Sql, tolerant: boolean): Promise<Difference[]> {
  try {
    const queries = STATE_QUERIES.map((query) => sql.query(query));
    const answers = await sql.transaction(
      [sql.query(`SELECT set_config('timezone', 'UTC', true)`), ...queries],
      { readOnly: true },
    );
    return answers
      .slice(1)
      .flat()
      .map((row) => String(row['text']));
  } catch (error) {
    if (!tolerant || toFailure(error).sqlstate === null) throw error;
    return ['the partitions were not checked: first repair what is named above'];
  }
}

function sorted(facts: Facts): Record<string, string> {
  return Object.fromEntries([...facts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
