-- The flat shape that SQL users and BI tools expect. security_invoker: whoever reads it sees what row-level security
-- lets them see. An address past its time reads '[anonymized]', to every reader.
CREATE VIEW audit.audit_logs WITH (security_invoker = true) AS
  SELECT e.id,
         e.workspace_id,
         CASE e.actor_type WHEN 'user' THEN e.actor_id END AS user_id,
         e.actor_id,
         e.actor_type,
         e.actor_email AS user_email,
         e.action,
         e.target_type AS resource_type,
         e.target_id AS resource_id,
         e.target_type,
         e.target_id,
         e.metadata AS details,
         e.metadata,
         e.old_value,
         e.new_value,
         CASE WHEN e.ip_commitment IS NOT NULL THEN coalesce(host(a.ip_address), '[anonymized]') END AS ip_address,
         e.user_agent,
         e.created_at
  FROM audit.events e
  LEFT JOIN audit.event_ips a
    ON a.workspace_id = e.workspace_id AND a.event_id = e.id AND a.created_at = e.created_at
   AND a.created_at > (SELECT audit.ip_horizon());
GRANT SELECT ON audit.audit_logs TO daybook_app;
