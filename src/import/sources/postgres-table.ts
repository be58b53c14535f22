import type pg from 'pg';
import { ImportError } from '../import-error.ts';
import type { Column } from '../source.ts';
import { noTable } from './no-table.ts';

/** A column by which rows are ordered. */
export interface KeyColumn {
  name: string;
  /** of the table under the name source */
  sql: string;
  type: string;
}

export interface Table {
  /** qualified and quoted */
  name: string;
  columns: TableColumn[];
  key: KeyColumn[];
  /** false where rows have none, and are ordered by where they lie */
  hasKey: boolean;
  count: number;
}

/** A column of which only the beginning is read where it is too large for any event, so that memory is bounded. */
export interface TableColumn extends Column {
  /** of the table under the name source */
  sql: string;
}

/** Bytes. Events have 64 KiB; JSON may be written at greater length. */
const MAX_VALUE = 1024 * 1024;

/** What is read of tables, their partitions included. */
const TABLE_KINDS = new Set(['r', 'p', 'm']);

/**
 * Finds a table, its columns and its key.
 * @throws ImportError when there is none that can be read
 */
export async function describeTable(
  client: pg.Client,
  wanted: string | undefined,
  candidates: readonly string[],
): Promise<Table> {
  const names = wanted === undefined ? [...candidates] : [wanted];
  const { rows: found } = await client.query<{ oid: number; name: string; kind: string }>(
    `SELECT c.oid::int8 AS oid, format('%I.%I', n.nspname, c.relname) AS name, c.relkind AS kind
     FROM unnest($1::text[]) WITH ORDINALITY AS w (name, place)
     JOIN pg_class c ON c.oid = to_regclass(w.name) JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY place LIMIT 1`,
    [names],
  );
  const [table] = found;
  if (table === undefined) throw await noTableOf(client, wanted ?? names.join(' or '));
  if (!TABLE_KINDS.has(table.kind))
    throw new ImportError(`${table.name} is not a table. Name the table itself, or export the rows as CSV.`);
  const columns = await columnsOf(client, table.oid);
  const key = await keyOf(client, table.oid);
  const { rows } = await client.query(`SELECT count(*) AS count FROM ${table.name}`);
  const count = Number(rows[0]?.count);
  return { name: table.name, columns, key: key.length > 0 ? key : PHYSICAL, hasKey: key.length > 0, count };
}

async function columnsOf(client: pg.Client, oid: number): Promise<TableColumn[]> {
  const { rows } = await client.query<TableColumn>(
    `SELECT attname AS name, atttypid = ANY ('{json,jsonb}'::regtype[]) AS "isJson",
       CASE
         WHEN atttypid = ANY ('{json,jsonb}'::regtype[])
           THEN format('CASE WHEN octet_length(source.%1$I::text) > %2$s THEN left(source.%1$I::text, %2$s) ELSE source.%1$I::text END', attname, $2::int)
         WHEN atttypid = ANY ('{text,varchar}'::regtype[])
           THEN format('CASE WHEN octet_length(source.%1$I) > %2$s THEN left(source.%1$I, %2$s) ELSE source.%1$I END', attname, $2::int)
         WHEN atttypid = 'bytea'::regtype
           THEN format('CASE WHEN octet_length(source.%1$I) > %2$s THEN substring(source.%1$I FOR %2$s) ELSE source.%1$I END', attname, $2::int)
         ELSE format('source.%I', attname)
       END AS sql
     FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [oid, MAX_VALUE],
  );
  return rows;
}

const PHYSICAL: KeyColumn[] = [
  { name: 'tableoid', sql: 'source.tableoid', type: 'oid' },
  { name: 'ctid', sql: 'source.ctid', type: 'tid' },
];

/** The columns of the primary key, or of a unique index of columns that are never NULL; none where tables inherit from this one, which are read too. */
async function keyOf(client: pg.Client, oid: number): Promise<KeyColumn[]> {
  const { rows } = await client.query<KeyColumn>(
    `SELECT a.attname AS name, format('source.%I', a.attname) AS sql, format_type(a.atttypid, a.atttypmod) AS type
     FROM (
       SELECT c.columns FROM pg_index i, LATERAL (SELECT (i.indkey::int2[])[0:i.indnkeyatts - 1] AS columns) AS c
       WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
         AND NOT EXISTS (SELECT FROM pg_attribute n WHERE n.attrelid = $1 AND n.attnum = ANY (c.columns) AND NOT n.attnotnull)
         AND NOT EXISTS (SELECT FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent WHERE p.oid = $1 AND p.relkind = 'r')
       ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1) AS k,
     LATERAL unnest(k.columns) WITH ORDINALITY AS u (attnum, place)
     JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = u.attnum ORDER BY u.place`,
    [oid],
  );
  return rows;
}

async function noTableOf(client: pg.Client, wanted: string): Promise<ImportError> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema')
     ORDER BY c.relname NOT LIKE '%audit%', 1 LIMIT 20`,
  );
  return noTable(
    wanted,
    rows.map(({ name }) => name),
  );
}
