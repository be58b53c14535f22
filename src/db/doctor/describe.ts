import { NeonDbError } from '@neondatabase/serverless';
import type { Sql } from '../client.ts';

/**
 * What a database has, as facts: a name such as `index audit.events_actor`, and its definition. Facts of a partition
 * carry the name `<partition>` in place of its own, so that partitions can be compared with one another.
 */
export type Facts = ReadonlyMap<string, string>;

export interface Description {
  /** everything but partitions */
  facts: Facts;
  /** by parent, then by partition */
  partitions: ReadonlyMap<string, ReadonlyMap<string, Facts>>;
}

/** One row of the queries below: which relation it is about (null: none), a fact's name and its definition. */
interface FactRow {
  parent: string | null;
  relation: string | null;
  name: string;
  definition: string;
}

/** Tables of the schema, each with its parent where it is a partition. */
const RELATIONS = `
  relations AS (
    SELECT c.oid, c.relname::text AS relation, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.relacl,
           c.reloptions, c.relpersistence, p.relname::text AS parent
    FROM pg_class c
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    LEFT JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relnamespace = 'audit'::regnamespace AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
  ), owner AS (SELECT nspowner AS oid FROM pg_namespace WHERE nspname = 'audit')`;

/** Who may do what: grants to anyone but the owner. */
const grants = (acl: string, owner: string) => `
  LATERAL (SELECT coalesce(role.rolname::text, 'PUBLIC') AS grantee, string_agg(acl.privilege_type || CASE WHEN acl.is_grantable THEN ' with grant option' ELSE '' END, ', ' ORDER BY acl.privilege_type) AS privileges
    FROM aclexplode(${acl}) acl LEFT JOIN pg_roles role ON role.oid = acl.grantee
    WHERE acl.grantee <> ${owner} GROUP BY 1) g`;

const QUERIES = [
  `WITH ${RELATIONS}
   SELECT parent, relation, 'table' AS name, concat_ws(', ',
     CASE relkind WHEN 'p' THEN 'partitioned by ' || pg_get_partkeydef(oid) WHEN 'r' THEN 'plain' ELSE 'kind ' || relkind::text END,
     CASE relpersistence WHEN 'p' THEN NULL ELSE 'not logged' END,
     'row-level security ' || CASE WHEN relrowsecurity THEN 'on' ELSE 'off' END, CASE WHEN relforcerowsecurity THEN 'forced' END,
     'options ' || reloptions::text,
     CASE WHEN relowner = (SELECT oid FROM owner) THEN NULL ELSE 'owned by ' || relowner::regrole END) AS definition
   FROM relations WHERE relkind IN ('r', 'p', 'f', 'S')`,
  `WITH ${RELATIONS}
   SELECT parent, relation, 'view' AS name, concat_ws(' ', reloptions::text, regexp_replace(pg_get_viewdef(oid), '\\s+', ' ', 'g'),
     CASE WHEN relowner = (SELECT oid FROM owner) THEN NULL ELSE 'owned by ' || relowner::regrole END) AS definition
   FROM relations WHERE relkind IN ('v', 'm')`,
  `WITH ${RELATIONS}
   SELECT parent, relation, 'column ' || attname AS name, concat_ws(' ', format_type(atttypid, atttypmod),
     CASE WHEN attcollation NOT IN (0, 100) THEN 'collate ' || attcollation::regcollation END,
     CASE WHEN attnotnull THEN 'not null' END,
     CASE WHEN attgenerated <> '' THEN 'generated ' ELSE 'default ' END || pg_get_expr(d.adbin, d.adrelid),
     'identity ' || nullif(attidentity::text, ''),
     CASE WHEN coalesce(attstattarget, -1) >= 0 THEN 'statistics ' || attstattarget END) AS definition
   FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
   LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE relkind IN ('r', 'p', 'f')`,
  `WITH ${RELATIONS}
   SELECT parent, relation, 'constraint ' || replace(conname, relation, '<table>') AS name,
     pg_get_constraintdef(c.oid) || CASE WHEN convalidated THEN '' ELSE ' NOT VALID' END AS definition
   FROM relations r JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype <> 'n'`,
  `WITH ${RELATIONS}
   SELECT parent, relation, name, string_agg(definition, ' and ' ORDER BY definition) AS definition
   FROM (
     SELECT parent, relation, 'index on ' || regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', '') AS name, concat_ws(' ',
       CASE WHEN i.indisunique THEN 'unique' ELSE 'plain' END, CASE WHEN NOT i.indisvalid THEN 'invalid' END,
       CASE WHEN r.parent IS NOT NULL AND NOT c.relispartition THEN 'not attached to the parent index' END) AS definition
     FROM relations r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class c ON c.oid = i.indexrelid) i
   GROUP BY parent, relation, name`,
  `WITH ${RELATIONS}
   SELECT parent, relation, 'trigger ' || tgname AS name, concat(
     CASE tgenabled WHEN 'A' THEN 'enabled always: ' WHEN 'O' THEN 'enabled: ' WHEN 'D' THEN 'disabled: ' ELSE 'enabled for replicas: ' END,
     replace(pg_get_triggerdef(t.oid), 'audit.' || relation || ' ', '<table> ')) AS definition
   FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal`,
  // A rule can turn a forbidden statement into nothing, where a trigger refuses it.
  `WITH ${RELATIONS}
   SELECT parent, relation, 'rule ' || rulename AS name, pg_get_ruledef(w.oid) AS definition
   FROM relations r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'`,
  // They keep samples of values, addresses too, past the drop of a partition.
  `WITH ${RELATIONS}
   SELECT parent, relation, 'statistics ' || stxname AS name, pg_get_statisticsobjdef(s.oid) AS definition
   FROM relations r JOIN pg_statistic_ext s ON s.stxrelid = r.oid`,
  `WITH ${RELATIONS}
   SELECT parent, relation, 'policy ' || polname AS name, concat_ws(' ', polcmd, CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END,
     'to ' || (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END, ', ') FROM unnest(polroles) role),
     'using ' || pg_get_expr(polqual, polrelid), 'check ' || pg_get_expr(polwithcheck, polrelid)) AS definition
   FROM relations r JOIN pg_policy p ON p.polrelid = r.oid`,
  `WITH ${RELATIONS}
   SELECT parent, relation, 'grant to ' || g.grantee AS name, g.privileges AS definition FROM relations r, ${grants('r.relacl', 'r.relowner')}`,
  `WITH ${RELATIONS}
   SELECT parent, relation, 'grant on column ' || a.attname || ' to ' || g.grantee AS name, g.privileges AS definition
   FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid, ${grants('a.attacl', 'r.relowner')}`,
  `SELECT NULL AS parent, NULL AS relation, 'function audit.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name,
     CASE WHEN p.prokind = 'a' THEN 'an aggregate' ELSE regexp_replace(pg_get_functiondef(p.oid), '\\s+', ' ', 'g') END || CASE WHEN p.proowner = n.nspowner THEN '' ELSE ' owned by ' || p.proowner::regrole END AS definition
   FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'audit'`,
  `SELECT NULL AS parent, NULL AS relation, 'grant on function audit.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ') to ' || g.grantee AS name,
     g.privileges AS definition
   FROM pg_proc p, ${grants(`coalesce(p.proacl, acldefault('f', p.proowner))`, 'p.proowner')} WHERE p.pronamespace = 'audit'::regnamespace`,
  `SELECT NULL AS parent, NULL AS relation, 'type audit.' || t.typname AS name,
     (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid)
       || CASE WHEN t.typowner = (SELECT nspowner FROM pg_namespace WHERE oid = t.typnamespace) THEN '' ELSE ' owned by ' || t.typowner::regrole END AS definition
   FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c' WHERE t.typnamespace = 'audit'::regnamespace`,
  `SELECT NULL AS parent, NULL AS relation, 'grant on schema audit to ' || g.grantee AS name, g.privileges AS definition
   FROM pg_namespace n, ${grants('n.nspacl', 'n.nspowner')} WHERE nspname = 'audit'`,
  `SELECT NULL AS parent, NULL AS relation, concat_ws(' ', 'default grant by', a.defaclrole::regrole, 'in', nspname, 'on', a.defaclobjtype, 'to', g.grantee) AS name,
     g.privileges AS definition
   FROM pg_default_acl a LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace, ${grants('a.defaclacl', 'a.defaclrole')}
   WHERE (n.nspname = 'audit' OR n.oid IS NULL) AND a.defaclrole = (SELECT nspowner FROM pg_namespace WHERE nspname = 'audit')`,
  `SELECT NULL AS parent, NULL AS relation, 'role ' || rolname AS name, concat_ws(', ',
     CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolcreatedb THEN 'may create databases' END,
     CASE WHEN rolcreaterole THEN 'may create roles' END, CASE WHEN rolbypassrls THEN 'bypasses row-level security' END,
     CASE WHEN rolreplication THEN 'may replicate' END,
     CASE WHEN rolcanlogin AND rolname = 'daybook_reader' THEN 'may log in' END,
     CASE WHEN rolvaliduntil <= now() THEN 'has a password that is valid no more' END, CASE WHEN rolconnlimit = 0 THEN 'may not connect' END,
     'member of ' || nullif((SELECT string_agg(m.roleid::regrole::text, ' and ' ORDER BY m.roleid) FROM pg_auth_members m WHERE m.member = r.oid), ''),
     'owner of ' || nullif((SELECT string_agg(c.oid::regclass::text, ' and ' ORDER BY c.relname) FROM pg_class c
       WHERE c.relowner = r.oid AND c.relkind NOT IN ('i', 'I', 't')), ''),
     CASE WHEN has_database_privilege(r.oid, current_database(), 'CREATE') THEN 'may create schemas' END,
     'may create in ' || (SELECT string_agg(nspname::text, ' and ' ORDER BY nspname) FROM pg_namespace
       WHERE nspname !~ '^pg_' AND has_schema_privilege(r.oid, oid, 'CREATE')),
     (SELECT string_agg(array_to_string(setconfig, ' '), ' ' ORDER BY setdatabase) FROM pg_db_role_setting s
       WHERE s.setrole = r.oid AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())))) AS definition
   FROM pg_roles r WHERE rolname IN ('daybook_app', 'daybook_reader')`,
  // Whoever may become the Worker or the owner. Not the owner itself, a superuser, or what Postgres grants the maker of a role.
  `SELECT NULL AS parent, NULL AS relation, 'members of ' || CASE r.oid WHEN n.nspowner THEN 'the owner' ELSE r.rolname END AS name,
     string_agg(DISTINCT m.member::regrole::text, ' and ') AS definition
   FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner OR r.rolname = 'daybook_app'
   JOIN pg_auth_members m ON m.roleid = r.oid JOIN pg_roles who ON who.oid = m.member
   WHERE n.nspname = 'audit' AND m.member <> n.nspowner AND NOT who.rolsuper
     AND NOT (m.grantor = 10 AND m.admin_option AND to_jsonb(m) @> '{"inherit_option": false, "set_option": false}')
   GROUP BY 3`,
  // What carries rows out of the schema, past row-level security and the forgetting of addresses.
  `SELECT NULL AS parent, NULL AS relation, 'publication ' || pubname AS name, 'of ' || count(*) || ' tables of audit' AS definition
   FROM pg_publication_tables WHERE schemaname = 'audit' GROUP BY pubname`,
  `SELECT NULL AS parent, NULL AS relation, CASE c.relkind WHEN 'm' THEN 'materialized view ' ELSE 'view ' END || c.oid::regclass AS name,
     'reads ' || string_agg(DISTINCT t.oid::regclass::text, ' and ') || CASE c.relkind WHEN 'v' THEN ' as its owner' ELSE '' END AS definition
   FROM pg_class c JOIN pg_rewrite w ON w.ev_class = c.oid
   JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
   JOIN pg_class t ON t.oid = d.refobjid AND t.relnamespace = 'audit'::regnamespace
   WHERE c.relnamespace <> 'audit'::regnamespace
     AND (c.relkind = 'm' OR c.relkind = 'v' AND NOT coalesce(c.reloptions::text ~ 'security_invoker=(true|on|yes|1)', false))
   GROUP BY c.oid, c.relkind`,
];

/** Rows that migrations wrote, unlike what the catalogs of Postgres hold: they may not be there, or not be ours to read. */
const TERMS = `SELECT NULL AS parent, NULL AS relation, format('terms of the vocabulary %s, %s', vocabulary, kind) AS name,
    string_agg(name, ' ' ORDER BY name) AS definition
  FROM audit.vocabulary_terms GROUP BY vocabulary, kind`;

/** insufficient_privilege, undefined_table, undefined_column */
const UNREADABLE = new Set(['42501', '42P01', '42703']);

/** Reads the facts of schema `audit` and of Daybook's roles, in a read-only transaction, and the rows that belong to them. */
export async function describe(sql: Sql): Promise<Description> {
  const answers = (await sql.transaction(
    [
      sql.query(`SELECT set_config('search_path', 'pg_catalog', true)`),
      ...QUERIES.map((query) => sql.query(query)),
    ],
    { readOnly: true, isolationLevel: 'RepeatableRead' },
  )) as unknown as FactRow[][];
  const facts = new Map<string, string>();
  const partitions = new Map<string, Map<string, Map<string, string>>>();
  for (const { parent, relation, name, definition } of [...answers.slice(1), await readTerms(sql)].flat()) {
    if (relation === null) {
      facts.set(name, definition);
    } else if (parent === null) {
      facts.set(`${relation}: ${name}`, definition);
    } else {
      const siblings = getOrMake(partitions, parent, () => new Map<string, Map<string, string>>());
      getOrMake(siblings, relation, () => new Map<string, string>()).set(name, definition);
    }
  }
  return { facts, partitions };
}

async function readTerms(sql: Sql): Promise<FactRow[]> {
  try {
    const [rows] = await sql.transaction([sql.query(TERMS)], { readOnly: true });
    return rows as unknown as FactRow[];
  } catch (error) {
    // Their facts are then named as missing.
    if (error instanceof NeonDbError && UNREADABLE.has(error.code ?? '')) return [];
    throw error;
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
