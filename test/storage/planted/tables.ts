import type { Planted } from './planted.ts';

export const TABLES: Planted[] = [
  {
    what: 'a dropped index',
    plant: 'DROP INDEX audit.events_actor',
    finding: ['events: index on btree (workspace_id, actor_id, id) is missing', '<events>: index on'],
  },
  {
    what: 'an extra index',
    plant: 'CREATE INDEX ON audit.settings (months_ahead)',
    finding: 'settings: index on btree (months_ahead) should not be there',
  },
  {
    what: 'a second index like another',
    plant: 'CREATE INDEX ON audit.retention_runs (started_at DESC)',
    finding: 'is "plain and plain"',
  },
  {
    what: 'a partition index that was not attached',
    plant: [
      'ALTER TABLE audit.event_ips DETACH PARTITION audit.<event_ips>',
      'DROP INDEX audit.event_ips_address',
      'CREATE INDEX event_ips_address ON ONLY audit.event_ips (workspace_id, ip_address, event_id)',
    ],
    finding: [
      'event_ips: index on btree (workspace_id, ip_address, event_id) is "plain invalid"',
      'partition <event_ips> is detached before its time',
    ],
  },
  {
    what: 'an invalid index',
    plant: `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'audit.retention_runs_started'::regclass`,
    finding: 'is "plain invalid" and should be "plain"',
    asSuperuser: true,
  },
  {
    what: 'a changed column type',
    plant: 'ALTER TABLE audit.api_keys ALTER created_at TYPE timestamptz(6)',
    finding: 'api_keys: column created_at is',
  },
  {
    what: 'a changed default',
    plant: 'ALTER TABLE audit.settings ALTER days_ahead SET DEFAULT 2',
    finding: 'settings: column days_ahead is "integer not null default 2"',
  },
  {
    what: 'a dropped default',
    plant: 'ALTER TABLE audit.events ALTER received_at DROP DEFAULT',
    finding: ['events: column received_at', '<events>: column received_at'],
  },
  {
    what: 'a dropped default of one partition',
    plant: 'ALTER TABLE ONLY audit.<events> ALTER version DROP DEFAULT',
    finding: '<events>: column version',
  },
  {
    what: 'a column that may be null',
    plant: 'ALTER TABLE audit.log_pending ALTER leaf_hash DROP NOT NULL',
    finding: 'log_pending: column leaf_hash is "bytea"',
  },
  {
    what: 'an extra column',
    plant: 'ALTER TABLE audit.events ADD ip inet',
    finding: 'events: column ip should not be there',
  },
  {
    what: 'a missing column',
    plant: 'ALTER TABLE audit.retention_runs DROP postponed CASCADE',
    finding: 'retention_runs: column postponed is missing',
  },
  {
    what: 'a dropped check',
    plant: 'ALTER TABLE audit.events DROP CONSTRAINT created_at_is_the_time_in_id',
    finding: 'constraint created_at_is_the_time_in_id is missing',
  },
  {
    what: 'a check that old rows may break',
    plant: [
      'ALTER TABLE audit.settings DROP CONSTRAINT settings_ip_retention_hours_check',
      'ALTER TABLE audit.settings ADD CONSTRAINT settings_ip_retention_hours_check CHECK (ip_retention_hours >= 1 AND ip_retention_hours <= 2160) NOT VALID',
    ],
    finding: 'NOT VALID',
  },
  {
    what: 'statistics on an address',
    plant: 'ALTER TABLE audit.<event_ips> ALTER ip_address SET STATISTICS 100',
    finding: '<event_ips>: column ip_address is "inet not null statistics 100"',
  },
  {
    what: 'extended statistics on addresses',
    plant: 'CREATE STATISTICS audit.leak ON workspace_id, ip_address FROM audit.<event_ips>',
    finding: '<event_ips>: statistics leak should not be there',
  },
  {
    what: 'a missing table',
    plant: 'DROP TABLE audit.log_pending',
    finding: 'log_pending: table is missing',
  },
  {
    what: 'an extra table',
    plant: 'CREATE TABLE audit.copy AS SELECT * FROM audit.events',
    finding: 'copy: table should not be there',
  },
  {
    what: 'a table that inherits',
    plant: 'CREATE TABLE audit.heir () INHERITS (audit.settings)',
    finding: 'heir should not be there',
  },
  {
    what: 'a table that is not logged',
    plant: 'ALTER TABLE audit.log_pending SET UNLOGGED',
    finding: 'log_pending: table is "plain, not logged',
  },
  {
    what: 'another owner',
    plant: 'ALTER TABLE audit.settings OWNER TO postgres',
    finding: 'settings: table is',
    asSuperuser: true,
  },
  {
    what: 'a rule that silences changes',
    plant: 'CREATE RULE silence AS ON DELETE TO audit.events DO INSTEAD NOTHING',
    finding: 'events: rule silence should not be there',
  },
  {
    what: 'a rule on one partition',
    plant: 'CREATE RULE silence AS ON UPDATE TO audit.<events> DO INSTEAD NOTHING',
    finding: '<events>: rule silence should not be there',
  },
  {
    what: 'terms that a built-in vocabulary has lost',
    plant: `DELETE FROM audit.vocabulary_terms WHERE vocabulary = 'gdpr' AND kind = 'action'`,
    finding: 'terms of the vocabulary gdpr, action is missing (CREATE DELETE EXPORT',
  },
  {
    what: 'a term too many',
    plant: `INSERT INTO audit.vocabulary_terms VALUES ('tasks', 'target_type', 'other')`,
    finding: 'terms of the vocabulary tasks, target_type is "attachment other reminder task"',
  },
  {
    what: 'a missing table of terms, without failing itself',
    plant: 'DROP TABLE audit.vocabulary_terms CASCADE',
    finding: ['vocabulary_terms: table is missing', 'terms of the vocabulary gdpr, action is missing'],
  },
];
