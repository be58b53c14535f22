-- Events that will not be stored as they are, kept for 30 days for a person to look at.

CREATE TABLE audit.dead_letters (
  id               uuid PRIMARY KEY,
  failed_at        timestamptz(3) NOT NULL DEFAULT now(),
  reason           text NOT NULL CHECK (reason IN ('refused', 'conflict', 'undeliverable')),
  detail           text NOT NULL,
  sqlstate         text,
  workspace_id     text COLLATE "C",
  event_id         uuid,
  event_created_at timestamptz(3),
  leaf_hash        bytea,
  content_hash     bytea,
  event            jsonb,
  raw              bytea,
  CONSTRAINT event_or_raw CHECK ((event IS NULL) <> (raw IS NULL)),
  -- A queue delivers at least once, and a sender tries again.
  UNIQUE (workspace_id, event_id, content_hash)
);
COMMENT ON TABLE audit.dead_letters IS 'events that the database refused, that conflict after a 202, or that the queue could not deliver; 30 days';
COMMENT ON COLUMN audit.dead_letters.id IS 'UUIDv7 of when it was written';
COMMENT ON COLUMN audit.dead_letters.reason IS 'refused by the database; conflict with a stored event of the same id; undeliverable by the queue';
COMMENT ON COLUMN audit.dead_letters.detail IS 'a sentence for a person';
COMMENT ON COLUMN audit.dead_letters.content_hash IS 'SHA-256 of the event without its address, hashes and salts';
COMMENT ON COLUMN audit.dead_letters.event IS 'as audit.append takes it, without the address';
COMMENT ON COLUMN audit.dead_letters.raw IS 'what cannot be read as an event';
CREATE INDEX dead_letters_failed ON audit.dead_letters (failed_at);
CREATE INDEX dead_letters_workspace ON audit.dead_letters (workspace_id, id);

-- Their addresses, which are forgotten when those of stored events of the same age are.
CREATE TABLE audit.dead_letter_addresses (
  letter_id  uuid PRIMARY KEY REFERENCES audit.dead_letters ON DELETE CASCADE,
  created_at timestamptz(3) NOT NULL,
  ip_address inet NOT NULL,
  salt       bytea NOT NULL
);
COMMENT ON TABLE audit.dead_letter_addresses IS 'IP addresses of dead letters; deleted once they are past the limit';
COMMENT ON COLUMN audit.dead_letter_addresses.created_at IS 'the time inside the id of the event';
CREATE INDEX dead_letter_addresses_created ON audit.dead_letter_addresses (created_at);

-- Statistics would keep samples when the rows are gone.
ALTER TABLE audit.dead_letters ALTER event SET STATISTICS 0, ALTER raw SET STATISTICS 0;
ALTER TABLE audit.dead_letter_addresses ALTER ip_address SET STATISTICS 0, ALTER salt SET STATISTICS 0;
-- No policy: the Worker reaches them through the functions below only.
ALTER TABLE audit.dead_letters ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.dead_letter_addresses ENABLE ROW LEVEL SECURITY;

-- audit.bury(letters): keeps events as dead letters. letters is a JSON array of
--   {"id": UUIDv7, "reason", "detail", "sqlstate" or null, "literal": a row literal of incoming_event}, or with
--   "raw": base64 instead of the literal. A literal that cannot be read is kept as raw.
-- Returns how many were kept: not those kept before, nor undeliverable ones that are stored after all.
CREATE FUNCTION audit.bury(letters jsonb) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  letter jsonb;
  e      audit.incoming_event;
  raw    bytea;
  kept   integer := 0;
BEGIN
  -- In one order whoever calls: the same letters in another one would deadlock.
  FOR letter IN SELECT element FROM jsonb_array_elements(letters) AS element ORDER BY element->>'literal' COLLATE "C" LOOP
    e := NULL;
    raw := decode(letter->>'raw', 'base64');
    IF raw IS NULL THEN
      BEGIN
        e := (letter->>'literal')::audit.incoming_event;
      EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
        raw := convert_to(letter->>'literal', 'UTF8');
      END;
    END IF;
    CONTINUE WHEN letter->>'reason' = 'undeliverable' AND EXISTS (
      SELECT FROM audit.events s
      WHERE (s.workspace_id, s.id, s.created_at) = (e.workspace_id, e.id, audit.id_time(e.id)::timestamptz(3))
        AND s.leaf_hash = e.leaf_hash);
    INSERT INTO audit.dead_letters (id, reason, detail, sqlstate, workspace_id, event_id, event_created_at, leaf_hash, content_hash, event, raw)
    SELECT (letter->>'id')::uuid, letter->>'reason', letter->>'detail', letter->>'sqlstate',
           e.workspace_id, e.id, audit.id_time(e.id), e.leaf_hash,
           sha256(convert_to((to_jsonb(e) - ARRAY['ip_address', 'ip_salt', 'leaf_hash', 'ip_commitment', 'person_commitment', 'payload_commitment',
                                                  'person_salt', 'payload_salt'])::text, 'UTF8')),
           CASE WHEN raw IS NULL THEN to_jsonb(e) - ARRAY['ip_address', 'ip_salt'] END, raw
    ON CONFLICT DO NOTHING;
    CONTINUE WHEN NOT FOUND;
    kept := kept + 1;
    INSERT INTO audit.dead_letter_addresses (letter_id, created_at, ip_address, salt)
    SELECT (letter->>'id')::uuid, audit.id_time(e.id), e.ip_address, e.ip_salt
    WHERE e.ip_address IS NOT NULL AND audit.id_time(e.id) > audit.ip_horizon();
  END LOOP;
  RETURN kept;
END
$$;

-- audit.list_dead_letters(workspace, before, count): {"letters": […], "has_more"}: the newest first, at most count of them
-- and about 4 MB, the first in any case; of one workspace or, with NULL, of all; those written before the letter `before`.
-- An address past its time reads '[anonymized]'.
CREATE FUNCTION audit.list_dead_letters(workspace text, before uuid, count integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT jsonb_build_object(
    'letters', coalesce(jsonb_agg(letter ORDER BY id DESC) FILTER (WHERE fits), '[]'),
    'has_more', coalesce(NOT bool_and(fits), false))
  FROM (
    SELECT l.id, jsonb_build_object(
             'id', l.id, 'failed_at', l.failed_at, 'reason', l.reason, 'detail', l.detail, 'sqlstate', l.sqlstate,
             'workspace_id', l.workspace_id, 'event_id', l.event_id, 'created_at', l.event_created_at,
             'key_id', l.event->'key_id', 'event', l.event || jsonb_build_object('ip_address', CASE WHEN l.event->>'ip_commitment' IS NOT NULL THEN
               coalesce(host(a.ip_address), '[anonymized]') END),
             'raw', encode(l.raw, 'base64')) AS letter,
           row_number() OVER newest_first = 1 OR
             (row_number() OVER newest_first <= list_dead_letters.count
              AND sum(coalesce(octet_length(l.event::text), octet_length(l.raw))) OVER newest_first < 4000000) AS fits
    FROM (
      SELECT * FROM audit.dead_letters d
      WHERE (list_dead_letters.workspace IS NULL OR d.workspace_id = list_dead_letters.workspace)
        AND (list_dead_letters.before IS NULL OR d.id < list_dead_letters.before)
      ORDER BY d.id DESC LIMIT list_dead_letters.count + 1) l
    LEFT JOIN audit.dead_letter_addresses a ON a.letter_id = l.id AND a.created_at > audit.ip_horizon()
    WINDOW newest_first AS (ORDER BY l.id DESC)) p;
END;

-- audit.retry_dead_letter(letter): tries to store the event once more, and removes the letter once it is stored.
-- Returns NULL when there is no such letter, otherwise
--   {"workspace_id", "event_id", "created_at", "result": "committed" | "duplicate" | "conflict" | "unreadable", "leaf_hash"}.
-- Errors: the database's own when it refuses the event again. The letter stays then, and after a conflict.
CREATE FUNCTION audit.retry_dead_letter(letter uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  l          audit.dead_letters;
  a          audit.dead_letter_addresses;
  not_stored jsonb;
  outcome    jsonb;
BEGIN
  SELECT * INTO l FROM audit.dead_letters d WHERE d.id = letter FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  ELSIF l.event IS NULL OR l.event_id IS NULL THEN
    RETURN jsonb_build_object('result', 'unreadable');
  END IF;
  SELECT * INTO a FROM audit.dead_letter_addresses d WHERE d.letter_id = letter;
  not_stored := audit.append(jsonb_build_array(
    l.event || jsonb_build_object('ip_address', a.ip_address, 'ip_salt', a.salt)));
  outcome := coalesce(not_stored->0, jsonb_build_object('result', 'committed', 'leaf_hash', encode(l.leaf_hash, 'hex'))) - 'index';
  IF outcome->>'result' <> 'conflict' THEN
    DELETE FROM audit.dead_letters d WHERE d.id = letter;
  END IF;
  RETURN outcome || jsonb_build_object('workspace_id', l.workspace_id, 'event_id', l.event_id, 'created_at', l.event_created_at);
END
$$;

REVOKE ALL ON FUNCTION audit.bury(jsonb), audit.list_dead_letters(text, uuid, integer), audit.retry_dead_letter(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.bury(jsonb), audit.list_dead_letters(text, uuid, integer), audit.retry_dead_letter(uuid) TO daybook_app;
