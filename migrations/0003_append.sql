-- The only way to write events.

-- One event as the Worker sends it: a row of audit.events, with its address and that address's salt. created_at,
-- received_at and the defaults are the database's own. Workers send its columns by position: once released it never
-- changes, and another set of columns is another type with an append_rows of its own.
CREATE TYPE audit.incoming_event AS (
  workspace_id text, id uuid, occurred_at timestamptz(3), action text, version integer,
  actor_type text, actor_id text, actor_name text, actor_email text, on_behalf_of_type text, on_behalf_of_id text,
  target_type text, target_id text, target_name text, related_targets jsonb, related_target_names jsonb,
  outcome text, reason text, old_value jsonb, new_value jsonb, metadata jsonb,
  user_agent text, request_id text, session_id text, source_id text, key_id uuid, size integer,
  leaf_hash bytea, ip_commitment bytea, person_commitment bytea, payload_commitment bytea,
  person_salt bytea, payload_salt bytea, ip_address inet, ip_salt bytea
);

-- audit.rows_of(text): reads row literals of incoming_event that stand one after another, between them a line with a
-- single quote mark. No literal holds such a line: its quote marks are doubled, or beside a comma or a parenthesis.
-- An array literal would need every quote mark and backslash escaped once more.
CREATE FUNCTION audit.rows_of(literals text) RETURNS audit.incoming_event[]
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN ARRAY(
  SELECT literal::audit.incoming_event
  FROM string_to_table(literals, E'\n"\n') WITH ORDINALITY AS l (literal, place) ORDER BY place);
COMMENT ON FUNCTION audit.rows_of(text) IS 'reads row literals that stand one after another';

-- audit.append_rows(batch, atomic) stores events, each at most once.
--
-- Returns a JSON array with one entry for each event that was not stored by this call, and [] when all were:
--   {"index": place in batch, "result": "duplicate" | "conflict", "leaf_hash": hex of the stored event's}
-- duplicate: the workspace has this id with the same content; conflict: with other content, and the stored one stays.
-- Content is compared by value, without salts, hashes, key and receipt; what was forgotten or erased counts as equal.
--
-- Errors: check_violation without a constraint name when a partition is missing; a constraint's own error otherwise, that
-- named strict_workspace (0009) where a strict workspace does not take an action or target type;
-- with atomic, unique_violation (23505) on any conflict, its DETAIL the array above. Any error stores nothing.
--
-- Several statements, not one: the second must see what concurrent calls committed while the first waited for them.
CREATE FUNCTION audit.append_rows(batch audit.incoming_event[], atomic boolean DEFAULT false) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stored_workspaces text[];
  stored_ids        uuid[];
  earliest          timestamptz;
  latest            timestamptz;
  others            jsonb;
  horizon           timestamptz := audit.ip_horizon();
BEGIN
  WITH incoming AS (
    SELECT DISTINCT ON (e.workspace_id, e.id) e.*, audit.id_time(e.id)::timestamptz(3) AS created_at
    FROM unnest(batch) WITH ORDINALITY AS e
    ORDER BY e.workspace_id, e.id, e.ordinality
  ), stored AS (
    -- In key order: overlapping batches in different orders would deadlock otherwise.
    INSERT INTO audit.events (
      workspace_id, id, created_at, occurred_at, action, version,
      actor_type, actor_id, actor_name, actor_email, on_behalf_of_type, on_behalf_of_id,
      target_type, target_id, target_name, related_targets, related_target_names,
      outcome, reason, old_value, new_value, metadata, user_agent, request_id, session_id, source_id, key_id, size,
      leaf_hash, ip_commitment, person_commitment, payload_commitment, person_salt, payload_salt)
    SELECT
      workspace_id, id, created_at, coalesce(occurred_at, created_at), action, coalesce(version, 1),
      actor_type, actor_id, actor_name, actor_email, on_behalf_of_type, on_behalf_of_id,
      target_type, target_id, target_name, related_targets, related_target_names,
      coalesce(outcome, 'success'), reason, old_value, new_value, coalesce(metadata, '{}'), user_agent, request_id,
      session_id, source_id, key_id, size,
      leaf_hash, ip_commitment, person_commitment, payload_commitment, person_salt, payload_salt
    FROM incoming
    ORDER BY workspace_id, id
    ON CONFLICT DO NOTHING
    RETURNING workspace_id, id, created_at, leaf_hash
  ), pending AS (
    INSERT INTO audit.log_pending (workspace_id, id, created_at, leaf_hash) SELECT * FROM stored
  ), addresses AS (
    INSERT INTO audit.event_ips (workspace_id, event_id, created_at, ip_address, salt)
    SELECT workspace_id, id, created_at, ip_address, ip_salt
    FROM stored JOIN incoming USING (workspace_id, id, created_at)
    WHERE ip_address IS NOT NULL AND created_at > horizon
    ORDER BY workspace_id, id
  ), related AS (
    INSERT INTO audit.event_targets (workspace_id, target_type, target_id, event_id, created_at)
    SELECT DISTINCT workspace_id, target->>'type', target->>'id', id, created_at
    FROM stored JOIN incoming USING (workspace_id, id, created_at), jsonb_array_elements(related_targets) AS target
    WHERE related_targets IS NOT NULL
  )
  SELECT array_agg(workspace_id), array_agg(id), (SELECT min(created_at) FROM incoming), (SELECT max(created_at) FROM incoming)
  INTO stored_workspaces, stored_ids, earliest, latest
  FROM stored;

  -- Only what is new: an event that was stored before its workspace became strict is still a duplicate. Most databases
  -- have no strict workspace, and then their calls look for nothing.
  IF EXISTS (SELECT FROM audit.workspaces WHERE mode = 'strict')
    AND EXISTS (SELECT FROM audit.workspaces WHERE mode = 'strict' AND id = ANY (stored_workspaces)) THEN
    PERFORM audit.refuse_unknown_terms(batch, stored_workspaces, stored_ids);
  END IF;

  IF coalesce(cardinality(stored_ids), 0) = cardinality(batch) THEN
    RETURN '[]';
  END IF;

  WITH incoming AS (
    SELECT e.*, audit.id_time(e.id)::timestamptz(3) AS created_at,
           row_number() OVER (PARTITION BY e.workspace_id, e.id ORDER BY e.ordinality) = 1 AS is_first
    FROM unnest(batch) WITH ORDINALITY AS e
  ), stored_now AS (
    SELECT * FROM unnest(stored_workspaces, stored_ids) AS s (workspace_id, id)
  )
  SELECT jsonb_agg(jsonb_build_object(
           'index', i.ordinality - 1,
           'result', CASE WHEN
               (e.occurred_at, e.action, e.version, e.actor_type, e.actor_id, e.on_behalf_of_type, e.on_behalf_of_id,
                e.target_type, e.target_id, e.related_targets, e.outcome, e.request_id, e.source_id)
               IS NOT DISTINCT FROM
               (coalesce(i.occurred_at, i.created_at), i.action, coalesce(i.version, 1), i.actor_type, i.actor_id,
                i.on_behalf_of_type, i.on_behalf_of_id, i.target_type, i.target_id, i.related_targets,
                coalesce(i.outcome, 'success'), i.request_id, i.source_id)
             -- Each group: present on both sides or on neither, and equal unless it was forgotten.
             AND (e.person_commitment IS NULL) = (i.person_commitment IS NULL)
             AND (e.person_salt IS NULL
               OR (e.actor_name, e.actor_email, e.target_name, e.related_target_names, e.user_agent, e.session_id)
               IS NOT DISTINCT FROM
               (i.actor_name, i.actor_email, i.target_name, i.related_target_names, i.user_agent, i.session_id))
             AND (e.payload_commitment IS NULL) = (i.payload_commitment IS NULL)
             AND (e.payload_salt IS NULL
               OR (e.reason, e.old_value, e.new_value, e.metadata)
               IS NOT DISTINCT FROM (i.reason, i.old_value, i.new_value, coalesce(i.metadata, '{}')))
             AND (e.ip_commitment IS NULL) = (i.ip_commitment IS NULL)
             AND (a.ip_address IS NULL OR a.ip_address = i.ip_address)
             THEN 'duplicate' ELSE 'conflict' END,
           'leaf_hash', encode(e.leaf_hash, 'hex')) ORDER BY i.ordinality)
  INTO others
  FROM incoming i
  -- The bounds let the planner leave out the partitions that hold none of the batch.
  JOIN audit.events e
    ON (e.workspace_id, e.id, e.created_at) = (i.workspace_id, i.id, i.created_at)
   AND e.created_at BETWEEN earliest AND latest
  LEFT JOIN audit.event_ips a
    ON (a.workspace_id, a.event_id, a.created_at) = (e.workspace_id, e.id, e.created_at)
   AND a.created_at BETWEEN earliest AND latest AND a.created_at > horizon
  WHERE NOT (i.is_first AND EXISTS (
    SELECT FROM stored_now s WHERE (s.workspace_id, s.id) = (i.workspace_id, i.id)));

  IF atomic AND others @? '$[*] ? (@.result == "conflict")' THEN
    RAISE EXCEPTION 'an event with this id and other content exists'
      USING ERRCODE = 'unique_violation', DETAIL = others::text;
  END IF;
  RETURN coalesce(others, '[]');
END
$$;

COMMENT ON FUNCTION audit.append_rows(audit.incoming_event[], boolean) IS 'stores events, each at most once; returns those it did not store';

-- audit.append(batch, atomic): the same for a JSON array of objects with the columns of incoming_event. What they leave
-- out is null. Reading names and values back from jsonb takes twice as long, so the Worker calls append_rows.
CREATE FUNCTION audit.append(batch jsonb, atomic boolean DEFAULT false) RETURNS jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT audit.append_rows(
    ARRAY(SELECT jsonb_populate_record(NULL::audit.incoming_event, element)
          FROM jsonb_array_elements(batch) WITH ORDINALITY AS b (element, place) ORDER BY place),
    atomic);
END;
COMMENT ON FUNCTION audit.append(jsonb, boolean) IS 'stores a JSON array of events, each at most once; returns those it did not store';

-- Whether there is a partition for an event and all that is stored with it. A check_violation without a constraint's name
-- says that there is none, but a trigger may raise the same.
CREATE FUNCTION audit.has_partitions(e audit.incoming_event) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- The view comes with retention.
  RETURN NOT EXISTS (
    SELECT FROM (VALUES ('events'), ('event_targets'), ('event_ips')) AS t (parent)
    WHERE (t.parent <> 'event_ips' OR e.ip_address IS NOT NULL AND audit.id_time(e.id) > audit.ip_horizon())
      AND NOT EXISTS (
        SELECT FROM audit.partitions p
        WHERE p.parent = t.parent AND p.attached AND audit.id_time(e.id) >= p.lower_bound AND audit.id_time(e.id) < p.upper_bound));
END
$$;

-- audit.append_each(literals): what append_rows does for all rows or none, for each row by itself: for a batch of which
-- append_rows refuses some row. literals is what rows_of reads.
--
-- Returns a JSON array with one entry for each row that was not stored by this call, in no order:
--   {"index", "result": "duplicate" | "conflict", "leaf_hash"} as append_rows does
--   {"index", "result": "refused", "sqlstate", "constraint", "detail"}: the data is at fault; detail is a sentence without
--     data of the event, but for what a trigger's author wrote
--   {"index", "result": "no_partition"}: nothing is at fault with it, and its month or day has no partition yet
-- Other errors are raised, and store nothing.
CREATE FUNCTION audit.append_each(literals text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  l            record;
  not_stored   jsonb := '[]';
  readable     audit.incoming_event[] := '{}';
  places       bigint[] := '{}';
  answer       jsonb;
  code         text;
  broken       text;
  about_column text;
  message      text;
BEGIN
  FOR l IN SELECT literal, place FROM string_to_table(literals, E'\n"\n') WITH ORDINALITY AS t (literal, place) ORDER BY place LOOP
    BEGIN
      readable := readable || l.literal::audit.incoming_event;
      places := places || l.place;
    EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
      not_stored := not_stored || jsonb_build_object('index', l.place - 1, 'result', 'refused', 'sqlstate', SQLSTATE,
        'constraint', NULL, 'detail', 'A value is not one of its column''s type.');
    END;
  END LOOP;
  -- In key order, as append_rows: overlapping batches deadlock otherwise.
  FOR l IN
    SELECT n, places[n] AS place FROM generate_subscripts(readable, 1) AS n
    ORDER BY (readable[n]).workspace_id, (readable[n]).id, n
  LOOP
    BEGIN
      answer := audit.append_rows(ARRAY[readable[l.n]]);
      IF answer <> '[]' THEN
        not_stored := not_stored || (answer->0 || jsonb_build_object('index', l.place - 1));
      END IF;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, broken = CONSTRAINT_NAME, about_column = COLUMN_NAME, message = MESSAGE_TEXT;
      -- Not about the data: nothing is stored, and the caller tries again.
      IF left(code, 2) IN ('08', '0A', '25', '28', '2D', '3B', '3D', '3F', '40', '42', '53', '55', '57', '58', '72', 'F0', 'HV', 'XX') THEN
        RAISE;
      END IF;
      not_stored := not_stored || CASE
        WHEN code = '23514' AND broken = '' AND NOT audit.has_partitions(readable[l.n]) THEN jsonb_build_object('index', l.place - 1, 'result', 'no_partition')
        ELSE jsonb_build_object('index', l.place - 1, 'result', 'refused', 'sqlstate', code, 'constraint', nullif(broken, ''),
          'detail', CASE
            WHEN broken <> '' THEN format('It breaks the constraint %s.', broken)
            WHEN code = '23502' THEN format('It lacks a value for the column %s.', about_column)
            WHEN code LIKE '22%' THEN 'A value is not one that the database takes.'
            WHEN code LIKE '54%' THEN 'A value is too large for the database, such as for an index.'
            -- A trigger's own words.
            ELSE left(message, 500) END)
        END;
    END;
  END LOOP;
  RETURN not_stored;
END
$$;
COMMENT ON FUNCTION audit.append_each(text) IS 'stores events one by one; returns those it did not store, with the reason';

REVOKE ALL ON FUNCTION audit.rows_of(text), audit.append_rows(audit.incoming_event[], boolean), audit.append(jsonb, boolean),
  audit.append_each(text), audit.has_partitions(audit.incoming_event) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.rows_of(text), audit.append_rows(audit.incoming_event[], boolean), audit.append(jsonb, boolean),
  audit.append_each(text) TO daybook_app;
