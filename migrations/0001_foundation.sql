-- Schema, the Worker's role, the deployment's settings, workspaces and keys.
--
-- Two roles: the owner (whoever runs the migrations), and daybook_app, which the Worker logs in as. daybook_app
-- may call the functions granted to it and read rows of one workspace at a time; it can do nothing else.

-- The runner has made the schema for its ledger.
REVOKE ALL ON SCHEMA audit FROM PUBLIC;

-- Roles belong to the whole cluster, so another database may have made it already. It cannot log in until it is
-- given a password (docs/operations.md).
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'daybook_app') THEN
    CREATE ROLE daybook_app NOLOGIN NOCREATEDB NOCREATEROLE NOBYPASSRLS NOINHERIT;
  END IF;
END
$$;
-- SQL over HTTP has no timeout of its own.
ALTER ROLE daybook_app SET statement_timeout = '15s';
GRANT USAGE ON SCHEMA audit TO daybook_app;
GRANT SELECT ON audit.schema_migrations TO daybook_app;

-- The policy that retention obeys. Only the owner changes it: a stolen Worker credential cannot shorten it.
CREATE TABLE audit.settings (
  singleton              boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  ip_retention_hours     integer NOT NULL DEFAULT 2160 CHECK (ip_retention_hours BETWEEN 1 AND 2160),
  event_retention_months integer NOT NULL DEFAULT 24 CHECK (event_retention_months BETWEEN 1 AND 1200),
  months_ahead           integer NOT NULL DEFAULT 3 CHECK (months_ahead BETWEEN 1 AND 24),
  days_ahead             integer NOT NULL DEFAULT 35 CHECK (days_ahead BETWEEN 2 AND 370)
);
INSERT INTO audit.settings DEFAULT VALUES;
COMMENT ON COLUMN audit.settings.ip_retention_hours IS 'IP addresses are readable for this long; 90 days at most';
COMMENT ON COLUMN audit.settings.event_retention_months IS 'a month of events is dropped once all of it is older';

CREATE TABLE audit.workspaces (
  -- Of a key, * means every workspace.
  id         text COLLATE "C" PRIMARY KEY CHECK (char_length(id) BETWEEN 1 AND 128 AND id <> '*'),
  name       text NOT NULL DEFAULT '' CHECK (char_length(name) <= 255),
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
ALTER TABLE audit.workspaces ENABLE ROW LEVEL SECURITY;

-- What was issued, for listing and revoking. Keys verify themselves (docs/security.md): no secret is kept here.
CREATE TABLE audit.api_keys (
  id           uuid PRIMARY KEY,
  name         text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255),
  workspaces   text[] NOT NULL CHECK (cardinality(workspaces) BETWEEN 1 AND 100),
  scopes       text[] NOT NULL CHECK (cardinality(scopes) >= 1),
  created_at   timestamptz(3) NOT NULL DEFAULT now(),
  expires_at   timestamptz(3),
  revoked_at   timestamptz(3)
);
ALTER TABLE audit.api_keys ENABLE ROW LEVEL SECURITY;
-- The list every isolate refreshes: revoked keys, and few of them.
CREATE INDEX api_keys_revoked ON audit.api_keys (revoked_at) WHERE revoked_at IS NOT NULL;

-- The workspace whose rows this transaction may read; NULL where none is set. A setting that was ever set with
-- set_config(…, true) reads as '' later on the same connection.
CREATE FUNCTION audit.current_workspace() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('daybook.workspace_id', true), '');

CREATE POLICY workspace_reads ON audit.workspaces FOR SELECT TO daybook_app
  USING (id = (SELECT audit.current_workspace()));
GRANT SELECT ON audit.workspaces TO daybook_app;

-- Ids of keys that were revoked before they expired. Every isolate asks for it at most once a minute.
CREATE FUNCTION audit.revoked_keys() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT id FROM audit.api_keys WHERE revoked_at IS NOT NULL AND (expires_at IS NULL OR expires_at > now());
END;

REVOKE ALL ON FUNCTION audit.current_workspace(), audit.revoked_keys() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.current_workspace(), audit.revoked_keys() TO daybook_app;
