import type { Planted } from './planted.ts';

export const RIGHTS: Planted[] = [
  {
    what: 'a missing grant',
    plant: 'REVOKE SELECT ON audit.events FROM daybook_app',
    finding: 'events: grant to daybook_app is missing (SELECT)',
  },
  {
    what: 'an extra grant to daybook_app',
    plant: 'GRANT INSERT ON audit.events TO daybook_app',
    finding: 'events: grant to daybook_app is "INSERT, SELECT" and should be "SELECT"',
  },
  {
    what: 'a grant on a partition',
    plant: 'GRANT SELECT ON audit.<event_ips> TO daybook_app',
    finding: '<event_ips>: grant to daybook_app should not be there',
  },
  {
    what: 'a grant on a column',
    plant: 'GRANT UPDATE (reason) ON audit.events TO daybook_app',
    finding: 'grant on column reason to daybook_app should not be there',
  },
  {
    what: 'a grant that may be passed on',
    plant: 'GRANT SELECT ON audit.events TO daybook_app WITH GRANT OPTION',
    finding: 'SELECT with grant option',
  },
  {
    what: 'a grant to PUBLIC',
    plant: 'GRANT SELECT ON audit.api_keys TO PUBLIC',
    finding: 'api_keys: grant to PUBLIC should not be there (SELECT)',
  },
  {
    what: 'a function that PUBLIC may call',
    plant: 'GRANT EXECUTE ON FUNCTION audit.append(jsonb, boolean) TO PUBLIC',
    finding: 'to PUBLIC should not be there (EXECUTE)',
  },
  {
    what: 'a function that daybook_app may not call',
    plant: 'REVOKE EXECUTE ON FUNCTION audit.append(jsonb, boolean) FROM daybook_app',
    finding: 'grant on function audit.append',
  },
  {
    what: 'a grant on the schema',
    plant: 'GRANT CREATE ON SCHEMA audit TO daybook_app',
    finding: ['grant on schema audit to daybook_app is "CREATE, USAGE"', 'may create in audit'],
  },
  {
    what: 'grants that future tables will have',
    plant: 'ALTER DEFAULT PRIVILEGES IN SCHEMA audit GRANT SELECT ON TABLES TO daybook_app',
    finding: 'default grant by daybook_owner',
  },
  {
    what: 'a disabled trigger',
    plant: 'ALTER TABLE ONLY audit.events DISABLE TRIGGER events_refuse_change',
    finding: 'events: trigger events_refuse_change is "disabled',
  },
  {
    what: 'a trigger disabled on one partition',
    plant: 'ALTER TABLE audit.<events> DISABLE TRIGGER events_refuse_change',
    finding: '<events>: trigger events_refuse_change is "disabled',
  },
  {
    what: 'a trigger that replicas pass by',
    plant: 'ALTER TABLE audit.<events> ENABLE TRIGGER events_refuse_truncate',
    finding: '<events>: trigger events_refuse_truncate is "enabled:',
  },
  {
    what: 'a trigger missing on one partition',
    plant: 'DROP TRIGGER events_refuse_truncate ON audit.<events>',
    finding: '<events>: trigger events_refuse_truncate is missing',
  },
  {
    what: 'row-level security that is off',
    plant: 'ALTER TABLE audit.event_ips DISABLE ROW LEVEL SECURITY',
    finding: 'event_ips: table is "partitioned by RANGE (created_at), row-level security off',
  },
  {
    what: 'row-level security that is off on one partition',
    plant: 'ALTER TABLE audit.<events> DISABLE ROW LEVEL SECURITY',
    finding: '<events>: table is "plain, row-level security off',
  },
  {
    what: 'a changed policy',
    plant: 'ALTER POLICY workspace_reads ON audit.events USING (true)',
    finding: 'events: policy workspace_reads is',
  },
  {
    what: 'a missing policy',
    plant: 'DROP POLICY workspace_reads ON audit.workspaces',
    finding: 'workspaces: policy workspace_reads is missing',
  },
  {
    what: 'an extra policy',
    plant: 'CREATE POLICY more ON audit.event_ips FOR SELECT TO daybook_app USING (true)',
    finding: 'event_ips: policy more should not be there',
  },
  {
    what: 'a Worker that bypasses row-level security',
    plant: 'ALTER ROLE daybook_app BYPASSRLS',
    finding: 'bypasses row-level security',
    asSuperuser: true,
  },
  {
    what: 'a Worker that may make roles',
    plant: 'ALTER ROLE daybook_app CREATEROLE',
    finding: 'may create roles',
    asSuperuser: true,
  },
  {
    what: 'a Worker that belongs to the owner',
    // The owner made the role and so belongs to it; a circle is not allowed.
    plant: ['REVOKE daybook_app FROM daybook_owner', 'GRANT daybook_owner TO daybook_app'],
    finding: 'member of daybook_owner',
    asSuperuser: true,
  },
  {
    what: 'a Worker without a timeout',
    plant: 'ALTER ROLE daybook_app RESET statement_timeout',
    finding: 'role daybook_app is ""',
  },
  {
    what: 'a setting of the Worker in this database alone',
    plant: `DO $$ BEGIN EXECUTE format('ALTER ROLE daybook_app IN DATABASE %I SET statement_timeout = 0', current_database()); END $$`,
    finding: 'statement_timeout=15s statement_timeout=0',
  },
  {
    what: 'a Worker that owns something',
    plant: ['GRANT CREATE ON SCHEMA audit TO daybook_app', 'ALTER TABLE audit.api_keys OWNER TO daybook_app'],
    finding: [
      'owner of audit.api_keys',
      'api_keys: table is "plain, row-level security on, owned by daybook_app"',
    ],
    asSuperuser: true,
  },
  {
    what: 'someone who may become the Worker',
    plant: ['CREATE ROLE mallory', 'GRANT daybook_app TO mallory'],
    finding: 'members of daybook_app should not be there (mallory)',
    asSuperuser: true,
  },
  {
    what: 'someone who may become the owner',
    plant: ['CREATE ROLE mallory', 'GRANT daybook_owner TO mallory'],
    finding: 'members of the owner should not be there (mallory)',
    asSuperuser: true,
  },
  {
    what: "a view of another's",
    plant: ['CREATE ROLE mallory', 'ALTER VIEW audit.partition_policy OWNER TO mallory'],
    finding: 'owned by mallory',
    asSuperuser: true,
  },
  {
    what: "a view of another's that it cannot read, without failing itself",
    plant: ['CREATE ROLE mallory', 'ALTER VIEW audit.partitions OWNER TO mallory'],
    finding: ['owned by mallory', 'the partitions were not checked'],
    asSuperuser: true,
  },
  {
    what: "a type of another's",
    plant: ['CREATE ROLE mallory', 'ALTER TYPE audit.incoming_event OWNER TO mallory'],
    finding: 'owned by mallory',
    asSuperuser: true,
  },
  {
    what: 'a Worker that may not log in any more',
    plant: [
      `INSERT INTO audit.api_keys (id, name, workspaces, scopes) VALUES (gen_random_uuid(), 'k', '{acme}', '{events:write}')`,
      'ALTER ROLE daybook_app NOLOGIN',
    ],
    finding: 'role daybook_app cannot log in, and API keys were issued: run setup',
  },
  {
    what: 'a Worker whose password has expired',
    plant: `ALTER ROLE daybook_app VALID UNTIL '2000-01-01'`,
    finding: 'has a password that is valid no more',
  },
  {
    what: 'a Worker that may have no connection',
    plant: 'ALTER ROLE daybook_app CONNECTION LIMIT 0',
    finding: 'may not connect',
  },
  {
    what: 'readers that log in by the name of all',
    plant: 'ALTER ROLE daybook_reader LOGIN',
    finding: 'role daybook_reader is "may log in',
  },
  {
    what: 'a publication of a table',
    plant: 'CREATE PUBLICATION leak FOR TABLE audit.event_ips',
    finding: 'publication leak should not be there (of ',
    asSuperuser: true,
  },
  {
    what: 'a publication of every table',
    plant: 'CREATE PUBLICATION leak FOR ALL TABLES',
    finding: 'publication leak should not be there (of ',
    asSuperuser: true,
  },
  {
    what: 'a copy of addresses in a materialized view elsewhere',
    plant: 'CREATE MATERIALIZED VIEW public.kept AS SELECT * FROM audit.event_ips',
    finding: 'materialized view public.kept should not be there (reads audit.event_ips)',
  },
  {
    what: 'a view elsewhere that reads as the owner',
    plant: 'CREATE VIEW public.door AS SELECT * FROM audit.events',
    finding: 'view public.door should not be there (reads audit.events as its owner)',
  },
  { what: 'a lost policy', plant: 'DELETE FROM audit.settings', finding: 'settings has no row' },
  {
    what: 'a ledger row that is missing',
    plant: `DELETE FROM audit.schema_migrations WHERE version = '0003'`,
    finding: 'migration 0003_append is pending',
  },
  {
    what: 'a migration that was changed',
    plant: `UPDATE audit.schema_migrations SET checksum = 'other' WHERE version = '0002'`,
    finding: 'migration 0002_events is changed',
  },
];
