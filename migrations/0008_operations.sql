-- What /readyz and /metrics ask. Cheap and bounded, for they are asked for ever.

-- The smallest UUIDv7 of a time (RFC 9562, section 5.7), version and variant aside: events of that time or later have
-- a greater id.
CREATE FUNCTION audit.id_floor(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN rpad(lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0'), 32, '0')::uuid;

-- audit.readiness(): whether events can be taken and forgotten in time, as JSON:
--   partitions_ahead_s  for each partitioned table: seconds from now for which its partitions follow one another without
--                       a gap; 0 when there is none for now
--   retention_overdue   as audit.retention_status() has it: something has been due for two hours
--   last_run_age_s      seconds since retention last ran to its end; null when it never did, or in none of the last 100 runs
-- Reads the catalogue, the policy and the last runs; no event, so a lock on the events does not stop it.
CREATE FUNCTION audit.readiness() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH coming AS (
    SELECT parent, lower_bound, upper_bound, lead(lower_bound) OVER (PARTITION BY parent ORDER BY lower_bound) AS next
    FROM audit.partitions WHERE attached AND upper_bound > now()
  ), covered AS (
    -- Up to the first partition that no other follows.
    SELECT parent, min(lower_bound) AS since, min(upper_bound) FILTER (WHERE next IS DISTINCT FROM upper_bound) AS until
    FROM coming GROUP BY parent
  )
  SELECT jsonb_build_object(
    'partitions_ahead_s', (
      SELECT jsonb_object_agg(p.parent, CASE WHEN c.since <= now() THEN round(extract(epoch FROM c.until - now())) ELSE 0 END)
      FROM audit.partition_policy p LEFT JOIN covered c ON c.parent = p.parent),
    'retention_overdue', EXISTS (
      SELECT FROM audit.retention_due d WHERE d.due_at < now() - interval '2 hours'),
    'last_run_age_s', (
      SELECT round(extract(epoch FROM now() - max(r.finished_at)))
      FROM (SELECT * FROM audit.retention_runs ORDER BY started_at DESC LIMIT 100) r WHERE NOT r.interrupted));
END;

-- audit.gauges(): audit.readiness() and figures to be watched, as JSON:
--   events_last_minute          events whose ids are of the last 60 seconds, by the senders' clocks; what was stored late is
--                               not in it. At most 100,000 are counted, of the first 2,000 workspaces by id
--   events_last_minute_partial  whether one of these bounds was met: there may be more
--   dead_letters                how many there are, up to 100,000
--   oldest_unsealed_s           seconds since the oldest event that waits to be sealed was stored; null when none waits
--   unsealed_estimate           how many wait: counted in the table's first 1,000 pages, extrapolated beyond them
--   table_bytes_estimate        for each partitioned table: its size with indexes and TOAST, as of the last (auto)vacuum or ANALYZE
CREATE FUNCTION audit.gauges() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  since      CONSTANT timestamptz := now() - interval '1 minute';
  max_events CONSTANT integer := 100000;
  max_spaces CONSTANT integer := 2000;
  max_pages  CONSTANT integer := 1000;
  pages      CONSTANT bigint := pg_relation_size('audit.log_pending') / current_setting('block_size')::integer;
  front      CONSTANT tid := format('(%s,0)', max_pages);
  minute     record;
  oldest     timestamptz;
  waiting    bigint;
BEGIN
  -- No index is led by a time, and one more would cost every insert. The primary key has each workspace's ids in order of
  -- time: step from workspace to workspace, and count the end of each. Times are written out, so that the planner sees
  -- only the month's partition; they are the month's, for a narrower one would have each step read past old events.
  EXECUTE format($query$
    WITH RECURSIVE spaces AS (
      (SELECT workspace_id, 1 AS n FROM audit.events
       WHERE created_at >= %1$L AND created_at < %2$L
       ORDER BY workspace_id, id LIMIT 1)
      UNION ALL
      SELECT (SELECT e.workspace_id FROM audit.events e
              WHERE e.workspace_id > s.workspace_id AND e.created_at >= %1$L AND e.created_at < %2$L
              ORDER BY e.workspace_id, e.id LIMIT 1), n + 1
      FROM spaces s WHERE s.workspace_id IS NOT NULL AND n < %5$s
    ), found AS (
      SELECT FROM spaces s CROSS JOIN LATERAL (
        SELECT FROM audit.events e
        WHERE e.workspace_id = s.workspace_id AND e.id >= %3$L AND e.id < %4$L AND e.created_at >= %1$L AND e.created_at < %2$L) f
      LIMIT %6$s
    )
    SELECT (SELECT count(*) FROM found) AS events, (SELECT count(workspace_id) FROM spaces) AS spaces $query$,
    date_trunc('month', since), date_trunc('month', now()) + interval '1 month',
    audit.id_floor(since), audit.id_floor(now()), max_spaces, max_events) INTO minute;

  -- Written in order and emptied from the front, so the oldest are in the first pages. A range of row addresses always
  -- starts there, a plain scan need not. Ids may be 7 days old when they come: the event knows when it was stored.
  SELECT min(coalesce((
    SELECT e.received_at FROM audit.events e
    WHERE (e.workspace_id, e.id, e.created_at) = (p.workspace_id, p.id, p.created_at)), p.created_at)) INTO oldest
  FROM (SELECT * FROM audit.log_pending WHERE ctid < front LIMIT 100) p;
  SELECT count(*) INTO waiting FROM audit.log_pending WHERE ctid < front;

  RETURN audit.readiness() || jsonb_build_object(
    'events_last_minute', minute.events,
    'events_last_minute_partial', minute.events >= max_events OR minute.spaces >= max_spaces,
    'oldest_unsealed_s', round(extract(epoch FROM clock_timestamp() - oldest), 1),
    'dead_letters', (SELECT count(*) FROM (SELECT FROM audit.dead_letters LIMIT 100000) d),
    'unsealed_estimate', round(waiting * greatest(1, pages / max_pages::numeric)),
    'table_bytes_estimate', (
      SELECT jsonb_object_agg(p.parent, coalesce(s.bytes, 0))
      FROM audit.partition_policy p LEFT JOIN (
        SELECT i.inhparent, sum(c.relpages::bigint) * current_setting('block_size')::integer AS bytes
        FROM pg_inherits i
        JOIN pg_class t ON t.oid = i.inhrelid
        CROSS JOIN LATERAL (
          SELECT t.relpages
          UNION ALL SELECT x.relpages FROM pg_class x WHERE x.oid = t.reltoastrelid
          UNION ALL SELECT x.relpages FROM pg_index n JOIN pg_class x ON x.oid = n.indexrelid
                    WHERE n.indrelid IN (t.oid, nullif(t.reltoastrelid, 0))) c
        WHERE t.relkind = 'r' GROUP BY i.inhparent) s ON s.inhparent = ('audit.' || p.parent)::regclass));
END
$$;

REVOKE ALL ON FUNCTION audit.id_floor(timestamptz), audit.readiness(), audit.gauges() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.readiness(), audit.gauges() TO daybook_app;
