-- Whoever reads with SQL: a role that others are made members of, by `daybook views install … --reader`. A member reads
-- the workspaces that the owner lists for it, and can do nothing else.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'daybook_reader') THEN
    CREATE ROLE daybook_reader NOLOGIN NOCREATEDB NOCREATEROLE NOBYPASSRLS;
  END IF;
END
$$;

-- A setting of the role, as the Worker has one, would be the role's own to change.
CREATE TABLE audit.readers (
  role_name    name NOT NULL,
  workspace_id text COLLATE "C" NOT NULL,
  created_at   timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (role_name, workspace_id)
);
ALTER TABLE audit.readers ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE audit.readers IS 'which workspaces a database role may read, as a member of daybook_reader';

GRANT USAGE ON SCHEMA audit TO daybook_reader;
GRANT SELECT ON audit.events, audit.event_ips, audit.audit_logs, audit.readers TO daybook_reader;
GRANT EXECUTE ON FUNCTION audit.ip_horizon() TO daybook_reader;

-- What is listed for a role is for its members too, and no reader sees what is listed for others. Roles that are listed and
-- were dropped since are nobody's.
CREATE POLICY reader_reads ON audit.readers FOR SELECT TO daybook_reader
  USING (role_name IN (SELECT rolname FROM pg_roles WHERE pg_has_role(oid, 'USAGE')));
-- An array of a sub-select is made once in a query, and found in the indexes.
CREATE POLICY reader_reads ON audit.events FOR SELECT TO daybook_reader
  USING (workspace_id = ANY (ARRAY(SELECT r.workspace_id FROM audit.readers r)));
CREATE POLICY reader_reads ON audit.event_ips FOR SELECT TO daybook_reader
  USING (workspace_id = ANY (ARRAY(SELECT r.workspace_id FROM audit.readers r)) AND created_at > (SELECT audit.ip_horizon()));
