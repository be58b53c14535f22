-- The log itself: events, their other targets, their addresses, and the entries that wait to be sealed.

-- The time inside a UUIDv7 (RFC 9562, section 5.7): its first 48 bits are milliseconds since 1970.
CREATE FUNCTION audit.id_time(id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN to_timestamp((('x' || substr(id::text, 1, 8) || substr(id::text, 10, 4))::bit(48)::bigint) / 1000::float8);

CREATE TABLE audit.events (
  workspace_id         text COLLATE "C" NOT NULL CHECK (char_length(workspace_id) BETWEEN 1 AND 128),
  id                   uuid NOT NULL,
  created_at           timestamptz(3) NOT NULL,
  received_at          timestamptz(3) NOT NULL DEFAULT now(),
  occurred_at          timestamptz(3) NOT NULL CHECK (occurred_at >= '1900-01-01 00:00+00' AND occurred_at < '9999-01-01 00:00+00'),
  action               text COLLATE "C" NOT NULL CHECK (char_length(action) BETWEEN 1 AND 128),
  version              integer NOT NULL DEFAULT 1 CHECK (version >= 1),
  actor_type           text COLLATE "C" NOT NULL
                       CHECK (actor_type IN ('user', 'system', 'api_key', 'service', 'agent', 'anonymous')),
  actor_id             text COLLATE "C",
  actor_name           text,
  actor_email          text,
  on_behalf_of_type    text COLLATE "C",
  on_behalf_of_id      text COLLATE "C",
  target_type          text COLLATE "C" NOT NULL,
  target_id            text COLLATE "C",
  target_name          text,
  related_targets      jsonb,
  related_target_names jsonb,
  outcome              text COLLATE "C" NOT NULL DEFAULT 'success' CHECK (outcome IN ('success', 'failure', 'denied')),
  reason               text,
  old_value            jsonb,
  new_value            jsonb,
  metadata             jsonb,
  user_agent           text,
  request_id           text COLLATE "C",
  session_id           text COLLATE "C",
  source_id            text COLLATE "C",
  key_id               uuid,
  size                 integer NOT NULL CHECK (size > 0),
  leaf_hash            bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
  ip_commitment        bytea,
  person_commitment    bytea,
  payload_commitment   bytea,
  person_salt          bytea,
  payload_salt         bytea,

  -- One workspace's ids mean nothing in another. created_at is a function of id, so a retry with the same id meets
  -- the same key in the same partition, for ever.
  PRIMARY KEY (workspace_id, id, created_at),
  CONSTRAINT created_at_is_the_time_in_id CHECK (created_at = audit.id_time(id)::timestamptz(3)),
  CONSTRAINT actor_is_identified CHECK (
    CASE actor_type WHEN 'anonymous' THEN actor_id IS NULL WHEN 'system' THEN actor_id = 'system' ELSE actor_id IS NOT NULL END)
) PARTITION BY RANGE (created_at);

COMMENT ON TABLE audit.events IS 'append-only; one partition a month';
COMMENT ON COLUMN audit.events.created_at IS 'the time inside id: the retention clock';
COMMENT ON COLUMN audit.events.occurred_at IS 'when it happened, as the sender claims';
COMMENT ON COLUMN audit.events.received_at IS 'when the database stored it';
COMMENT ON COLUMN audit.events.size IS 'bytes of the event as stored, by which pages are cut';
COMMENT ON COLUMN audit.events.leaf_hash IS 'RFC 6962 leaf hash over the canonical event and the three commitments';
COMMENT ON COLUMN audit.events.ip_commitment IS 'SHA-256(salt, address); set exactly when the event had an address';

-- Access paths: led by the workspace, ended by id, which sorts by time. The primary key serves "everything".
CREATE INDEX events_actor       ON audit.events (workspace_id, actor_id, id);
CREATE INDEX events_target      ON audit.events (workspace_id, target_id, id) WHERE target_id IS NOT NULL;
CREATE INDEX events_target_type ON audit.events (workspace_id, target_type, id);
CREATE INDEX events_action      ON audit.events (workspace_id, action, id);
CREATE INDEX events_outcome     ON audit.events (workspace_id, outcome, id) WHERE outcome <> 'success';
CREATE INDEX events_request     ON audit.events (workspace_id, request_id, id) WHERE request_id IS NOT NULL;

-- related_targets once more, one row each, so that the target filter finds them by an ordered index: row-level
-- security keeps array and jsonb operators off their GIN indexes, and a GIN result has no order to page by.
CREATE TABLE audit.event_targets (
  workspace_id text COLLATE "C" NOT NULL,
  target_type  text COLLATE "C" NOT NULL,
  target_id    text COLLATE "C",
  event_id     uuid NOT NULL,
  created_at   timestamptz(3) NOT NULL
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE audit.event_targets IS 'related targets of events; one partition a month, kept as long as its events';
CREATE INDEX event_targets_id   ON audit.event_targets (workspace_id, target_id, event_id) WHERE target_id IS NOT NULL;
CREATE INDEX event_targets_type ON audit.event_targets (workspace_id, target_type, event_id);

-- Addresses live outside the immutable row, so that forgetting a day of them is dropping a table.
CREATE TABLE audit.event_ips (
  workspace_id text COLLATE "C" NOT NULL,
  event_id     uuid NOT NULL,
  created_at   timestamptz(3) NOT NULL,
  ip_address   inet NOT NULL,
  salt         bytea NOT NULL CHECK (octet_length(salt) = 16),
  PRIMARY KEY (workspace_id, event_id, created_at)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE audit.event_ips IS 'IP addresses of events; one partition a day, dropped once all of it is past the limit';
CREATE INDEX event_ips_address ON audit.event_ips (workspace_id, ip_address, event_id);
-- Statistics would keep sample addresses in pg_statistic after the rows are gone. Partitions get the same.
ALTER TABLE audit.event_ips ALTER workspace_id SET STATISTICS 0, ALTER event_id SET STATISTICS 0,
  ALTER created_at SET STATISTICS 0, ALTER ip_address SET STATISTICS 0, ALTER salt SET STATISTICS 0;

-- Stored but not yet sealed into the log. No index: written once, read whole, emptied.
CREATE TABLE audit.log_pending (
  workspace_id text COLLATE "C" NOT NULL,
  id           uuid NOT NULL,
  created_at   timestamptz(3) NOT NULL,
  leaf_hash    bytea NOT NULL
);

-- Immutability. An error, never silence: a rule that turns UPDATE into nothing hides the attempt from everyone.
CREATE FUNCTION audit.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'audit events are immutable: % on %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation',
          HINT = 'Events leave only when retention drops their month. To correct one, append another.';
END
$$;
COMMENT ON FUNCTION audit.refuse_change() IS 'raises restrict_violation (23001) for every change to an event';

-- Row triggers reach every partition by inheritance; TRUNCATE triggers do not, so each partition gets its own when
-- it is made. ALWAYS: they hold under session_replication_role = replica too.
CREATE TRIGGER events_refuse_change BEFORE UPDATE OR DELETE ON audit.events
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER events_refuse_truncate BEFORE TRUNCATE ON audit.events
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.events ENABLE ALWAYS TRIGGER events_refuse_change;
ALTER TABLE audit.events ENABLE ALWAYS TRIGGER events_refuse_truncate;

-- Nothing of an address can be read once it is this old, whether or not its table is dropped yet.
CREATE FUNCTION audit.ip_horizon() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT now() - make_interval(hours => ip_retention_hours) FROM audit.settings;
END;
COMMENT ON FUNCTION audit.ip_horizon() IS 'addresses of events created at or before this time are forgotten';

-- Reading: one workspace at a time, and no address past its time.
ALTER TABLE audit.events ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.event_targets ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.event_ips ENABLE ROW LEVEL SECURITY;
CREATE POLICY workspace_reads ON audit.events FOR SELECT TO daybook_app
  USING (workspace_id = (SELECT audit.current_workspace()));
CREATE POLICY workspace_reads ON audit.event_targets FOR SELECT TO daybook_app
  USING (workspace_id = (SELECT audit.current_workspace()));
CREATE POLICY workspace_reads ON audit.event_ips FOR SELECT TO daybook_app
  USING (workspace_id = (SELECT audit.current_workspace()) AND created_at > (SELECT audit.ip_horizon()));
GRANT SELECT ON audit.events, audit.event_targets, audit.event_ips TO daybook_app;

REVOKE ALL ON FUNCTION audit.id_time(uuid), audit.refuse_change(), audit.ip_horizon() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.id_time(uuid), audit.ip_horizon() TO daybook_app;
