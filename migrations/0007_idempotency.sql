-- Idempotency-Key: the answer to a single event is kept with the event's own transaction, and given again to whoever sends
-- the same key with the same body. audit.expiry_policy says for how long; retention deletes the rows.

CREATE TABLE audit.idempotency_keys (
  workspace_id text COLLATE "C" NOT NULL,
  key          text COLLATE "C" NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
  body_hash    bytea NOT NULL CHECK (octet_length(body_hash) = 32),
  receipt      jsonb NOT NULL,
  created_at   timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, key)
);
COMMENT ON TABLE audit.idempotency_keys IS 'keys of single events, with the first answer; 48 hours';
COMMENT ON COLUMN audit.idempotency_keys.key IS 'the header Idempotency-Key; a workspace''s own';
COMMENT ON COLUMN audit.idempotency_keys.body_hash IS 'HMAC-SHA-256 of the body''s canonical JSON, under a secret of the Worker: the body may hold secrets that are stored nowhere';
COMMENT ON COLUMN audit.idempotency_keys.receipt IS 'the first answer; "result" is committed or duplicate';
CREATE INDEX idempotency_keys_created ON audit.idempotency_keys (created_at);
-- No policy: the Worker reaches it through the function below only.
ALTER TABLE audit.idempotency_keys ENABLE ROW LEVEL SECURITY;

-- audit.append_once(key, body_hashes, literal, receipt) stores one event under a key, in one transaction.
--
--   body_hashes  hex, one for each secret that the Worker knows, the one in use first: it is kept, any of them is recognised
--   literal      one row literal of incoming_event; its workspace is the key's
--   receipt      the answer to keep, without "result" and "leaf_hash"
--
-- Returns
--   {"outcome": "stored" | "replayed", "receipt"}: the key is kept with this answer, now or since an earlier call
--   {"outcome": "reused"}: the key was used for another body; nothing was done
--   {"outcome": "conflict", "leaf_hash"}: the event's id is stored with other content; the key stays free
--
-- The key is claimed before the event is stored: calls with one key wait for the first, and then see what became of it.
-- A key that is past its time counts as absent, deleted or not. Errors are append_rows' own, and leave the key free;
-- invalid_parameter_value (22023) where literal is not one row.
CREATE FUNCTION audit.append_once(key text, body_hashes text[], literal text, receipt jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  batch      audit.incoming_event[] := audit.rows_of(literal);
  workspace  text := (batch[1]).workspace_id;
  answer     jsonb := receipt || jsonb_build_object('result', 'committed', 'leaf_hash', encode((batch[1]).leaf_hash, 'hex'));
  first      audit.idempotency_keys;
  not_stored jsonb;
BEGIN
  IF cardinality(batch) IS DISTINCT FROM 1 THEN
    RAISE EXCEPTION 'one event is stored under a key' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO audit.idempotency_keys AS k (workspace_id, key, body_hash, receipt)
  VALUES (workspace, append_once.key, decode(body_hashes[1], 'hex'), answer)
  ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO UPDATE
    SET body_hash = excluded.body_hash, receipt = excluded.receipt, created_at = excluded.created_at
    WHERE k.created_at <= now() - (SELECT p.keep FROM audit.expiry_policy p WHERE p.name = 'idempotency_keys');
  IF NOT FOUND THEN
    -- The statement above has locked the row, so it is there.
    SELECT * INTO STRICT first FROM audit.idempotency_keys k WHERE (k.workspace_id, k.key) = (workspace, append_once.key);
    RETURN CASE WHEN encode(first.body_hash, 'hex') = ANY (body_hashes)
      THEN jsonb_build_object('outcome', 'replayed', 'receipt', first.receipt)
      ELSE jsonb_build_object('outcome', 'reused') END;
  END IF;

  not_stored := audit.append_rows(batch, false)->0;
  IF not_stored->>'result' = 'conflict' THEN
    DELETE FROM audit.idempotency_keys k WHERE (k.workspace_id, k.key) = (workspace, append_once.key);
    RETURN jsonb_build_object('outcome', 'conflict', 'leaf_hash', not_stored->'leaf_hash');
  ELSIF not_stored->>'result' = 'duplicate' THEN
    answer := answer || jsonb_build_object('result', 'duplicate', 'leaf_hash', not_stored->'leaf_hash');
    UPDATE audit.idempotency_keys k SET receipt = answer WHERE (k.workspace_id, k.key) = (workspace, append_once.key);
  END IF;
  RETURN jsonb_build_object('outcome', 'stored', 'receipt', answer);
END
$$;
COMMENT ON FUNCTION audit.append_once(text, text[], text, jsonb) IS 'stores one event under a key, or returns the answer that the key was given first';

REVOKE ALL ON FUNCTION audit.append_once(text, text[], text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.append_once(text, text[], text, jsonb) TO daybook_app;
