import { is, SQL } from 'drizzle-orm';
import { getTableConfig, PgDialect, PgTable, type PgColumn } from 'drizzle-orm/pg-core';
import { expect, it } from 'vitest';
import { diagnose, snapshotOf } from '../../src/db/doctor/compare.ts';
import { describe } from '../../src/db/doctor/describe.ts';
import committed from '../../src/db/doctor/schema-snapshot.json' with { type: 'json' };
import { readMigrations } from '../../src/db/migrate.ts';
import * as schema from '../../src/db/schema.ts';
import { onBothEngines } from '../support/on-engines.ts';

const LITERAL_TYPES: Record<string, string> = { text: 'text', jsonb: 'jsonb' };

/** A default as Postgres prints it. */
function defaultOf(column: PgColumn): string | null {
  const value: unknown = column.default;
  if (value === undefined) return null;
  if (is(value, SQL)) return new PgDialect().sqlToQuery(value).sql;
  const type = LITERAL_TYPES[column.getSQLType()];
  if (type === undefined) return String(value);
  return `'${typeof value === 'string' ? value : JSON.stringify(value)}'::${type}`;
}

/** `table.column` and what it is, of every table that the application knows. */
function declared(): Record<string, string> {
  const tables = Object.values(schema)
    .filter((value) => is(value, PgTable))
    .map((table) => getTableConfig(table));
  const columns = tables.flatMap(({ name, schema, columns, primaryKeys }) => {
    const key =
      primaryKeys[0]?.columns.map((column) => column.name) ??
      columns.filter(({ primary }) => primary).map((column) => column.name);
    return columns.map((column): [string, string] => [
      `${schema}.${name}.${column.name}`,
      describeColumn({
        type: column.getSQLType().replace('timestamp (3)', 'timestamp(3)'),
        notNull: column.notNull,
        default: defaultOf(column),
        key: key.indexOf(column.name) + 1,
      }),
    ]);
  });
  return Object.fromEntries(columns);
}

function describeColumn(column: {
  type: string;
  notNull: boolean;
  default: string | null;
  key: number;
}): string {
  const key = column.key > 0 ? `, ${column.key} in the primary key` : '';
  return `${column.type}${column.notNull ? ' not null' : ''}, default ${column.default ?? 'none'}${key}`;
}

onBothEngines('the migrated schema', (database) => {
  it('is the one that drizzle is told of, column by column', async () => {
    const rows = await database().owner.query(
      `SELECT 'audit.' || relname || '.' || attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS "notNull",
              pg_get_expr(adbin, adrelid) AS default, coalesce(array_position(k.conkey, attnum), 0) AS key
       FROM pg_class c
       JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
       LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = attnum
       LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
       WHERE relnamespace = 'audit'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
         -- The runner's own, which no other code reads.
         AND relname <> 'schema_migrations'`,
    );
    const live = rows.map((row) => [
      row['name'],
      describeColumn(row as Parameters<typeof describeColumn>[0]),
    ]);
    expect(declared()).toEqual(Object.fromEntries(live));
  });

  it('is what the committed snapshot holds ("npm run schema:snapshot" writes it)', async () => {
    expect(committed).toEqual(snapshotOf(await describe(database().owner)));
  });

  it('gives doctor nothing to say', async () => {
    expect(await diagnose(database().owner, await readMigrations(), committed)).toEqual([]);
  });
});
