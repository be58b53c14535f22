-- What the events of a workspace may be called: anything, or only what its catalogue has.

-- The built-in vocabularies, as src/events/vocabularies.ts has them (a test holds the two together). `daybook` is what the
-- service itself writes, in whichever workspace (src/events/own-event.ts).
CREATE TABLE audit.vocabulary_terms (
  vocabulary text COLLATE "C" NOT NULL,
  kind       text COLLATE "C" NOT NULL CHECK (kind IN ('action', 'target_type')),
  name       text COLLATE "C" NOT NULL,
  PRIMARY KEY (vocabulary, kind, name)
);
ALTER TABLE audit.vocabulary_terms ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE audit.vocabulary_terms IS 'actions and target types of the built-in vocabularies';

INSERT INTO audit.vocabulary_terms (vocabulary, kind, name)
SELECT vocabulary, kind, unnest(string_to_array(names, ' ')) FROM (VALUES
  ('desktop', 'action', 'LOGIN LOGOUT LOGIN_FAILED SESSION_REFRESH DATA_ACCESS DATA_EXPORT DATA_DELETE TRANSACTION_CREATE TRANSACTION_UPDATE TRANSACTION_DELETE CONTACT_CREATE CONTACT_UPDATE CONTACT_DELETE SETTINGS_CHANGE SETTINGS_UPDATE MAILBOX_CONNECT MAILBOX_DISCONNECT EXPORT_START EXPORT_COMPLETE EXPORT_FAIL TERMS_ACCEPT'),
  ('desktop', 'target_type', 'USER SESSION TRANSACTION CONTACT COMMUNICATION EXPORT MAILBOX SETTINGS'),
  ('control-plane', 'target_type', 'project user api_key secret organization team'),
  ('gdpr', 'action', 'CREATE UPDATE DELETE LOGIN LOGOUT EXPORT PERMISSION_DENIED PASSWORD_CHANGE ROLE_CHANGE'),
  ('gdpr', 'target_type', 'MEMBER INCIDENT VEHICLE EQUIPMENT QUALIFICATION USER SYSTEM'),
  ('tasks', 'action', 'task_created task_updated task_deleted attachment_uploaded attachment_deleted reminder_sent'),
  ('tasks', 'target_type', 'task attachment reminder'),
  ('workspace', 'action', 'login logout data_export_requested data_export_completed data_delete_requested data_delete_completed subscription_created subscription_cancelled settings_changed oauth_connected oauth_disconnected admin_action'),
  ('workspace', 'target_type', 'workspace session data_export data_deletion subscription settings oauth admin'),
  ('daybook', 'action', 'operator.events_listed operator.event_read operator.dead_letters_listed operator.dead_letter_retried operator.retention_viewed operator.retention_run operator.workspaces_listed operator.workspace_viewed operator.catalogue_viewed operator.request_refused workspace.changed catalogue.changed retention.enforced'),
  ('daybook', 'target_type', 'workspace retention_run')
) AS v (vocabulary, kind, names);

ALTER TABLE audit.workspaces
  ADD COLUMN mode text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (mode IN ('open', 'strict')),
  ADD COLUMN vocabularies text[] COLLATE "C" NOT NULL DEFAULT '{}'
    CHECK (vocabularies <@ ARRAY['desktop', 'control-plane', 'gdpr', 'tasks', 'workspace'] COLLATE "C");
COMMENT ON COLUMN audit.workspaces.mode IS 'open: any action and target type; strict: only those of its vocabularies and its own';
COMMENT ON COLUMN audit.workspaces.vocabularies IS 'the built-in vocabularies whose terms a strict workspace takes';

-- Every call of append asks whether some workspace of its batch is strict: where none is, there is nothing to look at.
CREATE INDEX workspaces_strict ON audit.workspaces (id) WHERE mode = 'strict';

-- A workspace's own additions.
CREATE TABLE audit.workspace_terms (
  workspace_id text COLLATE "C" NOT NULL REFERENCES audit.workspaces (id),
  kind         text COLLATE "C" NOT NULL CHECK (kind IN ('action', 'target_type')),
  name         text COLLATE "C" NOT NULL CHECK (char_length(name) BETWEEN 1 AND 128),
  description  text NOT NULL DEFAULT '' CHECK (char_length(description) <= 512),
  created_at   timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, kind, name)
);
ALTER TABLE audit.workspace_terms ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE audit.workspace_terms IS 'actions and target types that a workspace adds to its vocabularies';

-- audit.terms_of(workspace): what a strict workspace takes, one row for each term and vocabulary; vocabulary is null for its
-- own additions. Less what only the service writes.
CREATE FUNCTION audit.terms_of(workspace text) RETURNS TABLE (kind text, name text, vocabulary text, description text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT t.kind, t.name, t.vocabulary, ''
  FROM audit.workspaces w JOIN audit.vocabulary_terms t ON t.vocabulary = ANY (w.vocabularies)
  WHERE w.id = workspace
  UNION ALL
  SELECT t.kind, t.name, NULL, t.description FROM audit.workspace_terms t WHERE t.workspace_id = workspace;
END;

-- audit.takes_term(workspace, kind, name, own): whether a strict workspace has the term; of an event of the service's own, whether
-- the service has it.
CREATE FUNCTION audit.takes_term(workspace text, term_kind text, term text, own boolean) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT EXISTS (SELECT FROM audit.workspace_terms t WHERE (t.workspace_id, t.kind, t.name) = (workspace, term_kind, term))
    OR EXISTS (
      SELECT FROM audit.vocabulary_terms t
      WHERE (t.kind, t.name) = (term_kind, term)
        AND (own AND t.vocabulary = 'daybook' OR t.vocabulary = ANY (ARRAY(SELECT unnest(w.vocabularies) FROM audit.workspaces w WHERE w.id = workspace))));
END;

-- audit.refuse_unknown_terms(batch, workspaces, ids): raises check_violation (23514) of the constraint strict_workspace when
-- an event among those, of a strict workspace, has an action or a target type that it does not take. An event is the service's
-- own where no key sent it and its action is one of the service's.
CREATE FUNCTION audit.refuse_unknown_terms(batch audit.incoming_event[], workspaces text[], ids uuid[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT FROM (
      SELECT DISTINCT e.workspace_id, t.kind, t.name, e.key_id IS NULL AND EXISTS (
        SELECT FROM audit.vocabulary_terms v WHERE (v.vocabulary, v.kind, v.name) = ('daybook', 'action', e.action)) AS own
      FROM unnest(batch) AS e
      JOIN audit.workspaces w ON w.id = e.workspace_id AND w.mode = 'strict'
      CROSS JOIN LATERAL (
        SELECT 'action' AS kind, e.action AS name
        UNION ALL SELECT 'target_type', e.target_type
        UNION ALL SELECT 'target_type', target->>'type' FROM jsonb_array_elements(e.related_targets) AS target
      ) AS t
      WHERE (e.workspace_id, e.id) IN (SELECT * FROM unnest(workspaces, ids))
    ) AS sent
    WHERE NOT audit.takes_term(sent.workspace_id, sent.kind, sent.name, sent.own)
  ) THEN
    RAISE EXCEPTION 'the catalogue of the strict workspace does not have this action or target type'
      USING ERRCODE = 'check_violation', SCHEMA = 'audit', TABLE = 'events', CONSTRAINT = 'strict_workspace';
  END IF;
END
$$;

-- audit.strict_workspaces(): ids of the strict workspaces. Every isolate asks for them at most twice a minute.
CREATE FUNCTION audit.strict_workspaces() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT id FROM audit.workspaces WHERE mode = 'strict';
END;
COMMENT ON FUNCTION audit.strict_workspaces() IS 'ids of the strict workspaces';

-- audit.catalogues(workspaces): of each of these that is strict, {"actions": […], "target_types": […]} under its id.
CREATE FUNCTION audit.catalogues(workspaces text[]) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(jsonb_object_agg(w.id, jsonb_build_object(
    'actions', (SELECT coalesce(jsonb_agg(DISTINCT t.name), '[]') FROM audit.terms_of(w.id) t WHERE t.kind = 'action'),
    'target_types', (SELECT coalesce(jsonb_agg(DISTINCT t.name), '[]') FROM audit.terms_of(w.id) t WHERE t.kind = 'target_type'))), '{}')
  FROM audit.workspaces w
  WHERE w.mode = 'strict' AND w.id = ANY (workspaces);
END;
COMMENT ON FUNCTION audit.catalogues(text[]) IS 'the terms that strict workspaces take';

-- audit.workspace(id): {"id", "name", "mode", "vocabularies", "created_at"}, or null where there is none.
CREATE FUNCTION audit.workspace(workspace text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT jsonb_build_object('id', w.id, 'name', w.name, 'mode', w.mode, 'vocabularies', w.vocabularies, 'created_at', w.created_at)
  FROM audit.workspaces w WHERE w.id = workspace;
END;
COMMENT ON FUNCTION audit.workspace(text) IS 'a workspace, as the service shows it';

-- audit.list_workspaces(after, most, among): {"workspaces": […], "has_more"}, by id, those after one; among, where it is given,
-- are the only ones to be listed.
CREATE FUNCTION audit.list_workspaces(after text, most integer, among text[] DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH found AS (
    SELECT w.id FROM audit.workspaces w
    WHERE (after IS NULL OR w.id > after) AND (among IS NULL OR w.id = ANY (among))
    ORDER BY w.id LIMIT least(most, 200) + 1
  ), page AS (SELECT id FROM found ORDER BY id LIMIT least(most, 200))
  SELECT jsonb_build_object(
    'workspaces', (SELECT coalesce(jsonb_agg(audit.workspace(id) ORDER BY id), '[]') FROM page),
    'has_more', (SELECT count(*) FROM found) > (SELECT count(*) FROM page));
END;
COMMENT ON FUNCTION audit.list_workspaces(text, integer, text[]) IS 'a page of workspaces, by id';

-- audit.put_workspace(id, changes): makes a workspace, or changes what `changes` names of "name", "mode" and "vocabularies".
-- Returns {"created", "workspace": as audit.workspace, "before": the same as it was, null where it was made}.
CREATE FUNCTION audit.put_workspace(workspace text, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  created boolean;
  before  jsonb;
BEGIN
  -- As it is left by a change that is under way.
  PERFORM FROM audit.workspaces w WHERE w.id = workspace FOR NO KEY UPDATE;
  before := audit.workspace(workspace);
  INSERT INTO audit.workspaces AS w (id, name, mode, vocabularies)
  VALUES (workspace, coalesce(changes->>'name', ''), coalesce(changes->>'mode', 'open'),
    ARRAY(SELECT DISTINCT jsonb_array_elements_text(coalesce(changes->'vocabularies', '[]')) ORDER BY 1))
  ON CONFLICT (id) DO UPDATE SET
    name = CASE WHEN changes ? 'name' THEN EXCLUDED.name ELSE w.name END,
    mode = CASE WHEN changes ? 'mode' THEN EXCLUDED.mode ELSE w.mode END,
    vocabularies = CASE WHEN changes ? 'vocabularies' THEN EXCLUDED.vocabularies ELSE w.vocabularies END
  RETURNING w.xmax = 0 INTO created;
  RETURN jsonb_build_object('created', created, 'workspace', audit.workspace(workspace), 'before', before);
END
$$;
COMMENT ON FUNCTION audit.put_workspace(text, jsonb) IS 'makes or changes a workspace';

-- audit.catalogue(workspace): {"workspace": as audit.workspace, "terms": [{"kind", "name", "vocabulary", "description"}, …]},
-- or null where there is none.
CREATE FUNCTION audit.catalogue(workspace text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT jsonb_build_object('workspace', audit.workspace(w.id), 'terms', (
    SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.kind, t.name, t.vocabulary), '[]') FROM audit.terms_of(w.id) t))
  FROM audit.workspaces w WHERE w.id = workspace;
END;
COMMENT ON FUNCTION audit.catalogue(text) IS 'a workspace and the terms of its catalogue';

-- audit.put_terms(workspace, terms, replace): adds [{"kind", "name", "description"}, …] to a workspace's own terms, and with
-- replace takes away all others. Makes the workspace where there is none. A workspace has at most 1,000 terms of its own.
-- Returns {"changed": whether anything was, a description or a new workspace too, "added", "removed",
-- "removed_terms": [{"kind", "name"}, …]}, or raises program_limit_exceeded (54000).
CREATE FUNCTION audit.put_terms(workspace text, terms jsonb, replace boolean) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made    boolean;
  added   bigint;
  changed bigint;
  removed jsonb := '[]';
BEGIN
  INSERT INTO audit.workspaces (id) VALUES (workspace) ON CONFLICT DO NOTHING;
  made := FOUND;
  -- One change of a catalogue at a time: two that replace it would leave some of both.
  PERFORM FROM audit.workspaces WHERE id = workspace FOR NO KEY UPDATE;
  IF replace THEN
    WITH gone AS (
      DELETE FROM audit.workspace_terms t
      WHERE t.workspace_id = workspace AND NOT EXISTS (
        SELECT FROM jsonb_to_recordset(terms) AS n (kind text, name text) WHERE (n.kind, n.name) = (t.kind, t.name))
      RETURNING t.kind, t.name
    )
    SELECT coalesce(jsonb_agg(to_jsonb(gone) ORDER BY kind, name), '[]') INTO removed FROM gone;
  END IF;
  WITH written AS (
    INSERT INTO audit.workspace_terms AS t (workspace_id, kind, name, description)
    SELECT DISTINCT ON (n.kind, n.name) workspace, n.kind, n.name, coalesce(n.description, '')
    FROM jsonb_to_recordset(terms) AS n (kind text, name text, description text)
    ORDER BY n.kind, n.name
    ON CONFLICT (workspace_id, kind, name) DO UPDATE SET description = EXCLUDED.description
    WHERE t.description <> EXCLUDED.description
    RETURNING t.xmax = 0 AS is_new
  )
  SELECT count(*) FILTER (WHERE is_new), count(*) INTO added, changed FROM written;
  IF (SELECT count(*) FROM audit.workspace_terms t WHERE t.workspace_id = workspace) > 1000 THEN
    RAISE EXCEPTION 'a workspace has at most 1,000 terms of its own' USING ERRCODE = 'program_limit_exceeded';
  END IF;
  RETURN jsonb_build_object('changed', made OR changed > 0 OR removed <> '[]', 'added', added, 'removed', jsonb_array_length(removed), 'removed_terms', removed);
END
$$;
COMMENT ON FUNCTION audit.put_terms(text, jsonb, boolean) IS 'adds to a workspace''s own terms, or replaces them';

REVOKE ALL ON FUNCTION audit.terms_of(text), audit.takes_term(text, text, text, boolean),
  audit.refuse_unknown_terms(audit.incoming_event[], text[], uuid[]), audit.strict_workspaces(), audit.catalogues(text[]), audit.workspace(text),
  audit.list_workspaces(text, integer, text[]), audit.put_workspace(text, jsonb), audit.catalogue(text),
  audit.put_terms(text, jsonb, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.strict_workspaces(), audit.catalogues(text[]), audit.workspace(text), audit.list_workspaces(text, integer, text[]),
  audit.put_workspace(text, jsonb), audit.catalogue(text), audit.put_terms(text, jsonb, boolean) TO daybook_app;
