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

CREATE FUNCTION audit.readable_workspaces(reader name) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT r.workspace_id FROM audit.readers r WHERE r.role_name = reader;
END;
COMMENT ON FUNCTION audit.readable_workspaces(name) IS 'the workspaces that the owner lists for a role';

GRANT USAGE ON SCHEMA audit TO daybook_reader;
GRANT SELECT ON audit.events, audit.event_ips, audit.audit_logs TO daybook_reader;
REVOKE ALL ON FUNCTION audit.readable_workspaces(name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.readable_workspaces(name), audit.ip_horizon() TO daybook_reader;

CREATE POLICY reader_reads ON audit.events FOR SELECT TO daybook_reader
  USING (workspace_id = ANY (ARRAY(SELECT audit.readable_workspaces(current_user))));
CREATE POLICY reader_reads ON audit.event_ips FOR SELECT TO daybook_reader
  USING (workspace_id = ANY (ARRAY(SELECT audit.readable_workspaces(current_user))) AND created_at > (SELECT audit.ip_horizon()));
