import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VOCABULARIES } from '../../src/events/vocabularies.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';

/**
 * docs/schema.md against the migrated database. What is checked there are the rows of its tables: under a heading
 * "### `table`", rows of two code spans. To add something, run this test: it prints the rows that are missing.
 */
const DOCUMENT = readFileSync(new URL('../../docs/schema.md', import.meta.url), 'utf8');

/** The database as rows: of what, of which kind, its name and its definition. Partitions are left out. */
const LIVE = `
  WITH relations AS (
    SELECT oid, relname::text AS name, relkind FROM pg_class
    WHERE relnamespace = 'audit'::regnamespace AND relkind IN ('r', 'p', 'v', 'c') AND NOT relispartition
  )
  SELECT r.name AS of, 'column' AS kind, attname::text AS name,
    concat_ws(' ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'not null' END, 'default ' || pg_get_expr(adbin, adrelid)) AS definition
  FROM relations r JOIN pg_attribute a ON attrelid = r.oid AND attnum > 0 AND NOT attisdropped
  LEFT JOIN pg_attrdef ON adrelid = r.oid AND adnum = attnum
  UNION ALL
  SELECT r.name, 'constraint', conname, pg_get_constraintdef(c.oid, true)
  FROM relations r JOIN pg_constraint c ON conrelid = r.oid AND contype <> 'n'
  UNION ALL
  SELECT r.name, 'index', indexrelid::regclass::text, regexp_replace(pg_get_indexdef(indexrelid, 0, true), '^.* USING ', '')
  FROM relations r JOIN pg_index i ON indrelid = r.oid
  WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND contype IN ('p', 'u', 'x'))
  UNION ALL
  SELECT r.name, 'trigger', tgname, regexp_replace(pg_get_triggerdef(t.oid, true), '^CREATE TRIGGER \\w+ ', '')
  FROM relations r JOIN pg_trigger t ON tgrelid = r.oid AND NOT tgisinternal
  UNION ALL
  SELECT r.name, 'policy', polname, pg_get_expr(polqual, polrelid, true)
  FROM relations r JOIN pg_policy ON polrelid = r.oid
  UNION ALL
  SELECT 'functions', CASE WHEN has_function_privilege('daybook_app', oid, 'EXECUTE') THEN 'the Worker may call' ELSE 'only the owner may call' END,
    proname || '(' || pg_get_function_identity_arguments(oid) || ')', pg_get_function_result(oid)
  FROM pg_proc WHERE pronamespace = 'audit'::regnamespace`;

/** As one writes it by hand. */
function shortened(text: string): string {
  return text
    .replaceAll('audit.', '')
    .replaceAll(/timestamp(\(\d\))? with time zone/g, 'timestamptz$1')
    .replaceAll(/'::\w+/g, "'")
    .replaceAll(/= ANY \(ARRAY\[(.*?)\]\)/g, 'IN ($1)')
    .replaceAll(/\(\( SELECT (\w+\(\)) AS \w+\)\)/g, '$1')
    .replaceAll(/\s+/g, ' ');
}

function rowOf(of: string, kind: string, name: string, definition: string): string {
  return `${of}, ${kind}: | \`${name}\` | \`${definition}\` |`;
}

/** The rows of the document's tables. */
function documented(): string[] {
  let [of, kind] = ['', ''];
  return DOCUMENT.split('\n').flatMap((line) => {
    of = /^###? `?(\w+)`?/.exec(line)?.[1]?.toLowerCase() ?? of;
    const [, name, definition] = /^\| `([^`]+)` \| `([^`]+)` \|/.exec(line) ?? [];
    if (name !== undefined && definition !== undefined) return [rowOf(of, kind, name, definition)];
    kind = /^\| ([a-zA-Z ]+?) +\|/.exec(line)?.[1] ?? kind;
    return [];
  });
}

let database: TestDatabase;
let live: Record<'of' | 'kind' | 'name' | 'definition', string>[];
beforeAll(async () => {
  database = await startDatabase('postgres');
  live = (await database.owner.query(LIVE)) as typeof live;
});
afterAll(() => database.close());

describe('docs/schema.md', () => {
  test('has each column, constraint, index, trigger, policy and function as it is in the database, and no other', () => {
    const there = documented();
    const rows = live.map(({ of, kind, name, definition }) =>
      rowOf(of, kind, shortened(name), shortened(definition)),
    );
    const missing = rows.filter((row) => !there.includes(row));
    const wrong = there.filter((row, place) => !rows.includes(row) || there.indexOf(row) !== place);
    expect({ missing, wrong }).toEqual({ missing: [], wrong: [] });
  });

  test('draws each table, with columns that it has', async () => {
    const tables = await database.owner.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'audit'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`,
    );
    const drawing = /```mermaid\n(.*?)```/s.exec(DOCUMENT)?.[1] ?? '';
    const drawn = [...drawing.matchAll(/^ +(\w+) \{\n(.*?)^ +\}/gms)].map(([, name = '', body = '']) => ({
      name,
      columns: [...body.matchAll(/^ +\w+ (\w+)/gm)].map(([, column]) => column),
    }));
    expect(drawn.map(({ name }) => name).toSorted()).toEqual(tables.map((row) => row['relname']).toSorted());
    for (const { name, columns } of drawn) {
      const known = live.filter(({ of, kind }) => of === name && kind === 'column').map((row) => row.name);
      expect(known).toEqual(expect.arrayContaining(columns));
    }
    const joined = [...drawing.matchAll(/^ +(\w+) [|}o{.-]+ (\w+) :/gm)].flatMap(([, from, to]) => [
      from,
      to,
    ]);
    expect(drawn.map(({ name }) => name)).toEqual(expect.arrayContaining(joined));
  });

  test('names nothing that is not there', () => {
    const known = new Set(live.flatMap(({ of, name }) => [of, name.replace(/\(.*/, '')]));
    const named = [...DOCUMENT.matchAll(/\baudit\.(\w+)/g)].map(([, name]) => name);
    expect(named.filter((name) => name !== undefined && !known.has(name))).toEqual([]);
  });

  test('lists the actions and target types of each built-in vocabulary', () => {
    const listed = Array.from(
      DOCUMENT.slice(DOCUMENT.indexOf('## Actions')).matchAll(/^\| ([a-z-]+) \| (.*) \| (.*) \|$/gm),
      ([, name, actions = '', types = '']) => [name, names(actions), names(types)],
    );
    const known = Object.entries(VOCABULARIES).map(([name, { actions, target_types: types }]) => [
      name,
      [...actions],
      [...types],
    ]);
    expect(listed.filter(([name]) => name !== 'vocabulary')).toEqual(known);
  });
});

function names(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = '']) => name);
}
