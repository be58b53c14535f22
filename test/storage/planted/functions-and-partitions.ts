import type { Planted } from './planted.ts';

export const FUNCTIONS_AND_PARTITIONS: Planted[] = [
  {
    what: 'a changed function',
    plant: `CREATE OR REPLACE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN NULL; END $$`,
    finding: 'function audit.refuse_change() is',
  },
  {
    what: 'a function without SECURITY DEFINER',
    plant: 'ALTER FUNCTION audit.append(jsonb, boolean) SECURITY INVOKER',
    finding: 'function audit.append(batch jsonb, atomic boolean) is',
  },
  {
    what: 'a function without its search_path',
    plant: 'ALTER FUNCTION audit.do_retention(uuid, text, text) RESET search_path',
    finding: 'function audit.do_retention',
  },
  {
    what: 'a missing function',
    plant: 'DROP FUNCTION audit.finish_retention',
    finding: 'function audit.finish_retention',
  },
  {
    what: 'an extra procedure',
    plant: 'CREATE PROCEDURE audit.extra() LANGUAGE sql AS $$ SELECT 1 $$',
    finding: 'function audit.extra() should not be there',
  },
  {
    what: 'a view that reads as its owner',
    plant: 'ALTER VIEW audit.audit_logs SET (security_invoker = false)',
    finding: 'audit_logs: view is "{security_invoker=false}',
  },
  {
    what: 'a changed view',
    plant:
      'CREATE OR REPLACE VIEW audit.retention_due AS SELECT NULL::text AS task, NULL::text AS parent, NULL::text COLLATE "C" AS partition, now() AS lower_bound, now() AS due_at, 1 AS step WHERE false',
    finding: 'retention_due: view is',
  },
  {
    what: 'a missing view, without failing itself',
    plant: 'DROP VIEW audit.partitions CASCADE',
    finding: ['partitions: view is missing', 'the partitions were not checked'],
  },
  {
    what: 'a changed type',
    plant: 'ALTER TYPE audit.incoming_event DROP ATTRIBUTE reason',
    finding: 'type audit.incoming_event is',
  },
  {
    what: 'a missing partition ahead',
    plant: `DO $$ BEGIN EXECUTE format('DROP TABLE audit.%I', (audit.partition_at('events', now() + interval '2 months')).name); END $$`,
    finding: 'is missing: run retention',
  },
  {
    what: 'a partition detached before its time',
    plant: 'ALTER TABLE audit.events DETACH PARTITION audit.<events>',
    finding: 'partition <events> is detached before its time',
  },
  {
    what: 'a default partition',
    plant: 'CREATE TABLE audit.events_default PARTITION OF audit.events DEFAULT',
    finding: 'partition events_default of audit.events has a name that retention does not know',
  },
  {
    what: 'a partition that holds another time than its name says',
    plant: [
      'ALTER TABLE audit.event_ips DETACH PARTITION audit.<event_ips>',
      `DO $$ BEGIN EXECUTE format('ALTER TABLE audit.event_ips ATTACH PARTITION audit.<event_ips> FOR VALUES FROM (%L) TO (%L)', '2001-01-01 00:00+00', '2002-01-01 00:00+00'); END $$`,
    ],
    finding: 'partition <event_ips> holds FOR VALUES FROM',
  },
  {
    what: 'a partition overdue to go',
    plant: [
      `SELECT audit.make_partition('event_ips', now() - interval '100 days')`,
      `UPDATE audit.made_partitions SET created_at = now() - interval '25 hours'`,
    ],
    finding: 'is overdue to detach: run retention',
  },
  {
    what: 'rows overdue to be deleted',
    plant: `INSERT INTO audit.idempotency_keys VALUES ('acme', 'k', sha256(''), '{}', now() - interval '73 hours')`,
    finding: 'table idempotency_keys holds rows that are overdue to be deleted: run retention',
  },
];
