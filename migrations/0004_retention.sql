-- Retention: partitions ahead, addresses forgotten, old months dropped, short-lived rows deleted. Each function does one
-- small thing in its own transaction, waits at most 150 ms for a lock, and obeys the policy whoever calls it.

-- Every partitioned table, how its partitions are cut, how many are kept ready and how long rows are kept.
CREATE VIEW audit.partition_policy AS
  SELECT p.parent, p.unit, p.ahead, p.keep
  FROM audit.settings s, LATERAL (VALUES
    ('events',        interval '1 month', make_interval(months => s.months_ahead), make_interval(months => s.event_retention_months)),
    ('event_targets', interval '1 month', make_interval(months => s.months_ahead), make_interval(months => s.event_retention_months)),
    ('event_ips',     interval '1 day',   make_interval(days => s.days_ahead),     make_interval(hours => s.ip_retention_hours))
  ) AS p (parent, unit, ahead, keep);

-- The partition of parent that holds a time: its name (events_p202601, event_ips_p20260131) and its bounds, in UTC.
CREATE FUNCTION audit.partition_at(parent text, at timestamptz,
  OUT name text, OUT lower_bound timestamptz, OUT upper_bound timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT p.parent || '_p' || to_char(l.lower_utc, CASE WHEN p.unit = interval '1 month' THEN 'YYYYMM' ELSE 'YYYYMMDD' END),
         l.lower_utc AT TIME ZONE 'UTC', (l.lower_utc + p.unit) AT TIME ZONE 'UTC'
  FROM audit.partition_policy p,
       LATERAL (SELECT date_trunc(CASE WHEN p.unit = interval '1 month' THEN 'month' ELSE 'day' END, partition_at.at AT TIME ZONE 'UTC')) AS l (lower_utc)
  WHERE p.parent = partition_at.parent;
END;

CREATE TABLE audit.made_partitions (
  name       text COLLATE "C" PRIMARY KEY,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
ALTER TABLE audit.made_partitions ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE audit.made_partitions IS 'when each partition was made, which Postgres does not tell';
COMMENT ON COLUMN audit.made_partitions.created_at IS 'what an import makes of the past is due at once, and overdue only when it has been there for long';

-- Every partition there is, attached or detached and not dropped yet, with the time from which it may go and when it was made.
CREATE VIEW audit.partitions AS
  SELECT p.parent, c.relname::text AS name, b.lower_bound, b.upper_bound,
         ((b.upper_bound AT TIME ZONE 'UTC') + p.keep) AT TIME ZONE 'UTC' AS expires_at,
         i.inhrelid IS NOT NULL AS attached, c.oid AS relation, m.created_at
  FROM audit.partition_policy p
  JOIN pg_class c ON c.relnamespace = 'audit'::regnamespace AND c.relkind = 'r'
   AND c.relname ~ ('^' || p.parent || '_p[0-9]{6,8}$')
  LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = ('audit.' || p.parent)::regclass
  CROSS JOIN LATERAL audit.partition_at(p.parent,
    to_timestamp(rpad(substring(c.relname FROM '[0-9]+$'), 8, '01') || ' +00', 'YYYYMMDD TZH')) AS b
  LEFT JOIN audit.made_partitions m ON m.name = c.relname::text COLLATE "C"
  WHERE b.name = c.relname;

-- Every table without partitions whose rows are deleted when they are older than keep, and the column that tells their
-- age, which needs an index. Later migrations make these tables.
CREATE VIEW audit.expiry_policy AS
  SELECT p.name, p.time_column, p.keep
  FROM audit.settings s, LATERAL (VALUES
    ('idempotency_keys',      'created_at', interval '48 hours'),
    ('dead_letters',          'failed_at',  interval '30 days'),
    ('dead_letter_addresses', 'created_at', make_interval(hours => s.ip_retention_hours))
  ) AS p (name, time_column, keep);

-- The time of the oldest row of a table of audit.expiry_policy; NULL when it is empty or not made yet.
CREATE FUNCTION audit.oldest_row(name text, time_column text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  oldest timestamptz;
BEGIN
  IF to_regclass(format('audit.%I', name)) IS NOT NULL THEN
    EXECUTE format('SELECT min(%I) FROM audit.%I', time_column, name) INTO oldest;
  END IF;
  RETURN oldest;
END
$$;

-- What is to be done now, in the order to do it: create what is missing from 8 days back (ids may be 7 days old), or
-- from where partitions end, where no run came for longer (events of then may wait in the queue),
-- detach what has expired, drop what was detached, expire (delete) rows that are older than their table keeps them; of
-- expire, partition is the table. due_at is when it could have been done at the earliest:
-- of a partition that an import makes of the past, when it was made.
CREATE VIEW audit.retention_due AS
  SELECT 'create' AS task, p.parent, b.name AS partition, b.lower_bound,
         ((b.lower_bound AT TIME ZONE 'UTC') - p.ahead) AT TIME ZONE 'UTC' AS due_at, 1 AS step
  -- Days are counted in UTC: in a session's own time zone some have 25 hours.
  FROM (SELECT now() AT TIME ZONE 'UTC' AS utc) n
  CROSS JOIN audit.partition_policy p
  CROSS JOIN LATERAL (
    SELECT least(max(e.upper_bound) AT TIME ZONE 'UTC', n.utc - interval '8 days') AS since
    FROM audit.partitions e WHERE e.parent = p.parent AND e.attached) f
  CROSS JOIN LATERAL generate_series(f.since, n.utc + p.ahead + p.unit, p.unit) AS t (at)
  CROSS JOIN LATERAL audit.partition_at(p.parent, t.at AT TIME ZONE 'UTC') AS b
  WHERE b.lower_bound AT TIME ZONE 'UTC' <= n.utc + p.ahead AND (b.upper_bound AT TIME ZONE 'UTC') + p.keep > n.utc
    AND NOT EXISTS (SELECT FROM audit.partitions e WHERE e.name = b.name AND e.attached)
  UNION ALL
  SELECT CASE WHEN attached THEN 'detach' ELSE 'drop' END, parent, name, lower_bound,
         greatest(expires_at, created_at), CASE WHEN attached THEN 2 ELSE 3 END
  FROM audit.partitions WHERE expires_at <= now()
  UNION ALL
  SELECT 'expire', p.name, p.name, NULL, o.oldest + p.keep, 4
  FROM audit.expiry_policy p CROSS JOIN LATERAL audit.oldest_row(p.name, p.time_column) AS o (oldest)
  WHERE o.oldest <= now() - p.keep;

CREATE TABLE audit.retention_runs (
  id            uuid PRIMARY KEY,
  trigger       text NOT NULL CHECK (trigger IN ('cron', 'operator', 'cli')),
  started_at    timestamptz(3) NOT NULL DEFAULT now(),
  finished_at   timestamptz(3),
  interrupted   boolean NOT NULL DEFAULT false,
  steps         jsonb NOT NULL DEFAULT '[]',
  postponed     jsonb NOT NULL DEFAULT '[]',
  reported_at   timestamptz(3)
);
COMMENT ON TABLE audit.retention_runs IS 'what each run of retention did';
COMMENT ON COLUMN audit.retention_runs.steps IS 'what was done: [{task, partition, rows?}], each written with the deed; rows: how many the run deleted in all';
COMMENT ON COLUMN audit.retention_runs.postponed IS 'what was due and could not be done: [{task, partition, reason}]';
COMMENT ON COLUMN audit.retention_runs.reported_at IS 'when the run was itself recorded as an audit event';
CREATE INDEX retention_runs_started ON audit.retention_runs (started_at DESC);

-- Makes one partition of parent: a table like it, with its bounds as a CHECK, then attached. Unlike PARTITION OF this
-- never queues inserts behind a reader, and with the CHECK nothing is scanned. Owner only.
CREATE FUNCTION audit.make_partition(parent text, at timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '150ms' SET timezone = 'UTC' AS $$
DECLARE
  p record;
BEGIN
  SELECT * INTO STRICT p FROM audit.partition_at(parent, at);
  EXECUTE format('CREATE TABLE audit.%I (LIKE audit.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', p.name, parent);
  EXECUTE format('ALTER TABLE audit.%I ADD CONSTRAINT bounds CHECK (created_at >= %L AND created_at < %L AND created_at IS NOT NULL)',
    p.name, p.lower_bound, p.upper_bound);
  EXECUTE format('ALTER TABLE audit.%I ENABLE ROW LEVEL SECURITY', p.name);
  IF parent = 'events' THEN
    EXECUTE format('CREATE TRIGGER events_refuse_truncate BEFORE TRUNCATE ON audit.%I FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()', p.name);
    EXECUTE format('ALTER TABLE audit.%I ENABLE ALWAYS TRIGGER events_refuse_truncate', p.name);
  ELSIF parent = 'event_ips' THEN
    EXECUTE format('ALTER TABLE audit.%I ALTER workspace_id SET STATISTICS 0, ALTER event_id SET STATISTICS 0, '
      'ALTER created_at SET STATISTICS 0, ALTER ip_address SET STATISTICS 0, ALTER salt SET STATISTICS 0', p.name);
  END IF;
  EXECUTE format('ALTER TABLE audit.%I ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)',
    parent, p.name, p.lower_bound, p.upper_bound);
  EXECUTE format('ALTER TABLE audit.%I DROP CONSTRAINT bounds', p.name);
  -- One that was dropped by hand left its row.
  INSERT INTO audit.made_partitions AS m (name) VALUES (p.name)
  ON CONFLICT (name) DO UPDATE SET created_at = EXCLUDED.created_at;
  RETURN p.name;
END
$$;

-- audit.begin_retention(run, trigger): records a run, and marks runs that died in the middle as interrupted. run is the
-- id of the audit event that will tell of it, so a UUIDv7 of now: invalid_parameter_value (22023) otherwise.
CREATE FUNCTION audit.begin_retention(run uuid, trigger text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF substr(run::text, 15, 1) <> '7' OR audit.id_time(run) NOT BETWEEN now() - interval '10 minutes' AND now() + interval '10 minutes' THEN
    RAISE EXCEPTION '% is no UUIDv7 of now', run USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE audit.retention_runs SET finished_at = now(), interrupted = true
  WHERE finished_at IS NULL AND started_at < now() - interval '15 minutes';
  INSERT INTO audit.retention_runs (id, trigger) VALUES (run, begin_retention.trigger);
END
$$;

-- audit.do_retention(run, task, partition): does one task of audit.retention_due and writes it into the run in the same
-- transaction. Expiring deletes at most 10,000 rows: call it again until there is nothing to do.
-- Returns the run's step, {"task", "partition"} and of expire "rows", deleted by the run so far; NULL, having done
-- nothing, when it is not due (any more). One at a time over all callers.
-- Errors: lock_not_available (55P03) after 150 ms; try again later. no_data_found (P0002) when no such run is under way.
CREATE FUNCTION audit.do_retention(run uuid, task text, partition text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '150ms' AS $$
DECLARE
  due     record;
  policy  record;
  deleted bigint;
  done    jsonb;
  others  jsonb;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('daybook.retention', 0));
  SELECT * INTO due FROM audit.retention_due d WHERE d.task = do_retention.task AND d.partition = do_retention.partition;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  CASE due.task
    WHEN 'create' THEN PERFORM audit.make_partition(due.parent, due.lower_bound);
    -- Detaching locks the parent for a moment whatever the partition's size; dropping it afterwards does not.
    WHEN 'detach' THEN EXECUTE format('ALTER TABLE audit.%I DETACH PARTITION audit.%I', due.parent, due.partition);
    WHEN 'drop' THEN
      EXECUTE format('DROP TABLE audit.%I', due.partition);
      DELETE FROM audit.made_partitions m WHERE m.name = due.partition;
    WHEN 'expire' THEN
      SELECT * INTO STRICT policy FROM audit.expiry_policy p WHERE p.name = due.parent;
      -- A row that is in use now is left to the next time.
      EXECUTE format('DELETE FROM audit.%1$I WHERE ctid = ANY (ARRAY('
        'SELECT ctid FROM audit.%1$I WHERE %2$I <= now() - $1 ORDER BY %2$I LIMIT 10000 FOR UPDATE SKIP LOCKED))',
        policy.name, policy.time_column) USING policy.keep;
      GET DIAGNOSTICS deleted = ROW_COUNT;
      IF deleted = 0 THEN
        RETURN NULL;
      END IF;
  END CASE;

  -- One step tells of all the rows that a run deletes from a table: an event has to tell of the steps.
  done := jsonb_build_object('task', due.task, 'partition', due.partition);
  SELECT jsonb_agg(step ORDER BY place) FILTER (WHERE NOT step @> done),
         deleted + coalesce(sum((step->>'rows')::bigint) FILTER (WHERE step @> done), 0)
  INTO others, deleted
  FROM audit.retention_runs r, jsonb_array_elements(r.steps) WITH ORDINALITY AS s (step, place)
  WHERE r.id = run;
  IF deleted IS NOT NULL THEN
    done := done || jsonb_build_object('rows', deleted);
  END IF;
  UPDATE audit.retention_runs r SET steps = coalesce(others, '[]') || done
  WHERE r.id = run AND r.finished_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no retention run % is under way', run USING ERRCODE = 'no_data_found';
  END IF;
  RETURN done;
END
$$;

-- audit.finish_retention(run, postponed, report): closes a run. report holds events that tell what was
-- done by this run and by interrupted ones before it; it is stored in the same transaction, so no deed goes untold.
-- Only a run under way can be closed (no_data_found otherwise), and only a run whose event is stored counts as reported.
CREATE FUNCTION audit.finish_retention(run uuid, postponed jsonb, report audit.incoming_event[], reported uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF cardinality(report) > 0 THEN
    PERFORM audit.append_rows(report);
  END IF;
  UPDATE audit.retention_runs r
  SET finished_at = now(),
      postponed = coalesce((
        SELECT jsonb_agg(jsonb_build_object('task', coalesce(p->>'task', ''), 'partition', coalesce(p->>'partition', ''),
                                            'reason', coalesce(p->>'reason', '')))
        FROM jsonb_array_elements(finish_retention.postponed) AS p), '[]')
  WHERE r.id = run AND r.finished_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no retention run % is under way', run USING ERRCODE = 'no_data_found';
  END IF;
  UPDATE audit.retention_runs r SET reported_at = now()
  WHERE r.id = ANY (reported) AND (r.id = run OR r.interrupted) AND r.reported_at IS NULL
    AND EXISTS (
      SELECT FROM audit.events e
      WHERE (e.workspace_id, e.id, e.created_at) = ('daybook', r.id, audit.id_time(r.id)::timestamptz(3)));
  -- A year of hourly runs is kept.
  DELETE FROM audit.retention_runs r WHERE r.started_at < now() - interval '1 year';
END
$$;

-- audit.unreported_retention(run): runs that did something no audit event tells of yet: this one and interrupted ones.
-- An event has its run's id and so its month. Where that month is gone, the event would be gone with it.
CREATE FUNCTION audit.unreported_retention(run uuid) RETURNS TABLE (id uuid, started_at timestamptz, steps jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT r.id, r.started_at, r.steps FROM audit.retention_runs r
  WHERE r.reported_at IS NULL AND r.steps <> '[]' AND (r.id = run OR r.interrupted)
    AND EXISTS (
      SELECT FROM audit.partitions p
      WHERE p.parent = 'events' AND p.attached AND audit.id_time(r.id) >= p.lower_bound AND audit.id_time(r.id) < p.upper_bound)
  ORDER BY r.id = run DESC, r.started_at LIMIT 100;
END;

-- audit.retention_status(): policy, what is due now and since when, what goes next, and the last runs, as JSON.
-- overdue: a task has been due for two hours, that is, two hourly runs did not do it.
CREATE FUNCTION audit.retention_status() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT jsonb_build_object(
    'policy', (SELECT to_jsonb(s) - 'singleton' FROM audit.settings s),
    'overdue', EXISTS (
      SELECT FROM audit.retention_due d WHERE d.due_at < now() - interval '2 hours'),
    'due', coalesce((
      SELECT jsonb_agg(jsonb_build_object('task', d.task, 'partition', d.partition, 'due_at', d.due_at) ORDER BY d.step, d.lower_bound, d.due_at)
      FROM audit.retention_due d), '[]'),
    'upcoming', coalesce((
      SELECT jsonb_agg(jsonb_build_object('partition', u.name, 'from', u.lower_bound, 'to', u.upper_bound, 'drops_at', u.expires_at)
             ORDER BY u.expires_at)
      FROM (SELECT * FROM audit.partitions WHERE expires_at > now() AND lower_bound <= now() ORDER BY expires_at LIMIT 200) u), '[]'),
    'ahead', (
      SELECT jsonb_object_agg(a.parent, a.until)
      FROM (SELECT parent, max(upper_bound) AS until FROM audit.partitions WHERE attached GROUP BY parent) a),
    'runs', coalesce((
      SELECT jsonb_agg(to_jsonb(r) ORDER BY r.started_at DESC)
      FROM (SELECT * FROM audit.retention_runs ORDER BY started_at DESC LIMIT 20) r), '[]'));
END;

-- audit.due_retention(): audit.retention_due for the Worker, as much as one event can tell of.
CREATE FUNCTION audit.due_retention() RETURNS TABLE (task text, partition text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT d.task, d.partition FROM audit.retention_due d ORDER BY d.step, d.lower_bound, d.due_at, d.partition LIMIT 500;
END;

REVOKE ALL ON FUNCTION audit.partition_at(text, timestamptz), audit.make_partition(text, timestamptz), audit.oldest_row(text, text),
  audit.begin_retention(uuid, text), audit.do_retention(uuid, text, text), audit.finish_retention(uuid, jsonb, audit.incoming_event[], uuid[]),
  audit.unreported_retention(uuid), audit.retention_status(), audit.due_retention() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.begin_retention(uuid, text), audit.do_retention(uuid, text, text),
  audit.finish_retention(uuid, jsonb, audit.incoming_event[], uuid[]), audit.unreported_retention(uuid), audit.retention_status(),
  audit.due_retention() TO daybook_app;

-- The first partitions.
DO $$
DECLARE
  due record;
BEGIN
  FOR due IN SELECT * FROM audit.retention_due WHERE task = 'create' LOOP
    PERFORM audit.make_partition(due.parent, due.lower_bound);
  END LOOP;
END
$$;
