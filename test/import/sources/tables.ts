/** The tables of the five products, as their designs define them. */

/** The desktop app's, by its migration: no reference to users, constrained actions and resources, no details. */
export const DESKTOP_MIGRATION = `
  CREATE TABLE audit_logs (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN (
      'LOGIN', 'LOGOUT', 'LOGIN_FAILED', 'DATA_ACCESS', 'DATA_EXPORT', 'DATA_DELETE',
      'TRANSACTION_CREATE', 'TRANSACTION_UPDATE', 'TRANSACTION_DELETE', 'CONTACT_CREATE', 'CONTACT_UPDATE', 'CONTACT_DELETE',
      'SETTINGS_CHANGE', 'MAILBOX_CONNECT', 'MAILBOX_DISCONNECT')),
    resource_type TEXT NOT NULL CHECK (resource_type IN (
      'USER', 'SESSION', 'TRANSACTION', 'CONTACT', 'COMMUNICATION', 'EXPORT', 'MAILBOX', 'SETTINGS')),
    resource_id TEXT,
    metadata TEXT,
    ip_address TEXT,
    user_agent TEXT,
    timestamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
  )`;

/** The desktop app's, by its main schema: a reference to users, details, other actions, any resource or none. */
export const DESKTOP_MAIN = `
  CREATE TABLE users_local (id TEXT PRIMARY KEY);
  CREATE TABLE audit_logs (
    id TEXT PRIMARY KEY,
    user_id TEXT,
    action TEXT NOT NULL CHECK (action IN (
      'LOGIN', 'LOGOUT', 'SESSION_REFRESH', 'TRANSACTION_CREATE', 'TRANSACTION_UPDATE', 'TRANSACTION_DELETE',
      'CONTACT_CREATE', 'CONTACT_UPDATE', 'CONTACT_DELETE', 'EXPORT_START', 'EXPORT_COMPLETE', 'EXPORT_FAIL',
      'MAILBOX_CONNECT', 'MAILBOX_DISCONNECT', 'SETTINGS_UPDATE', 'TERMS_ACCEPT')),
    resource_type TEXT,
    resource_id TEXT,
    details TEXT,
    metadata TEXT,
    ip_address TEXT,
    user_agent TEXT,
    timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (user_id) REFERENCES users_local (id) ON DELETE CASCADE
  )`;

export const CONTROL_PLANE = `
  CREATE SCHEMA control_plane;
  CREATE TABLE control_plane.audit_logs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    actor_id TEXT NOT NULL,
    actor_type TEXT NOT NULL CHECK (actor_type IN ('user', 'system', 'api_key')),
    action TEXT NOT NULL,
    target_type TEXT NOT NULL,
    target_id TEXT NOT NULL,
    metadata JSONB DEFAULT '{}',
    ip_address INET,
    user_agent TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    CHECK (actor_type <> 'system' OR actor_id = 'system')
  );
  CREATE INDEX ON control_plane.audit_logs (actor_id);
  CREATE INDEX ON control_plane.audit_logs (target_id);
  CREATE INDEX ON control_plane.audit_logs (created_at DESC);
  CREATE INDEX ON control_plane.audit_logs (actor_id, created_at DESC);
  CREATE INDEX ON control_plane.audit_logs (target_id, created_at DESC);
  CREATE INDEX ON control_plane.audit_logs (action)`;

const GDPR_TYPES = `
  CREATE TYPE audit_action AS ENUM (
    'CREATE', 'UPDATE', 'DELETE', 'LOGIN', 'LOGOUT', 'EXPORT', 'PERMISSION_DENIED', 'PASSWORD_CHANGE', 'ROLE_CHANGE');
  CREATE TYPE audit_resource_type AS ENUM ('MEMBER', 'INCIDENT', 'VEHICLE', 'EQUIPMENT', 'QUALIFICATION', 'USER', 'SYSTEM');
  CREATE TABLE users (id UUID PRIMARY KEY DEFAULT gen_random_uuid())`;

const GDPR_COLUMNS = `
    user_id UUID REFERENCES users (id) ON DELETE SET NULL,
    user_email VARCHAR(255),
    action audit_action NOT NULL,
    resource_type audit_resource_type NOT NULL,
    resource_id VARCHAR(255),
    old_value JSONB,
    new_value JSONB,
    ip_address TEXT,
    user_agent TEXT,
    metadata JSONB DEFAULT '{}',
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW()`;

export const GDPR = `${GDPR_TYPES};
  CREATE TABLE audit_log (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), ${GDPR_COLUMNS});
  CREATE RULE audit_log_no_update AS ON UPDATE TO audit_log DO INSTEAD NOTHING;
  CREATE RULE audit_log_no_delete AS ON DELETE TO audit_log DO INSTEAD NOTHING`;

/** Its optional form, which has no key. */
export const GDPR_PARTITIONED = `${GDPR_TYPES};
  CREATE TABLE audit_log (id UUID NOT NULL DEFAULT gen_random_uuid(), ${GDPR_COLUMNS}) PARTITION BY RANGE (created_at);
  CREATE TABLE audit_log_old PARTITION OF audit_log FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
  CREATE TABLE audit_log_2026 PARTITION OF audit_log FOR VALUES FROM ('2026-01-01') TO (MAXVALUE)`;

export const TASKS = `
  CREATE TABLE users (id INTEGER PRIMARY KEY);
  CREATE TABLE audit_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action_type VARCHAR(64) NOT NULL,
    user_id INTEGER REFERENCES users (id),
    timestamp TIMESTAMP NOT NULL DEFAULT NOW(),
    resource_type VARCHAR(64),
    resource_id VARCHAR(64),
    metadata JSON
  );
  CREATE INDEX ON audit_events (timestamp);
  CREATE INDEX ON audit_events (action_type);
  CREATE INDEX ON audit_events (user_id)`;

export const WORKSPACE = `
  CREATE TABLE audit_logs (
    id TEXT PRIMARY KEY,
    workspace_id TEXT,
    user_id TEXT,
    action TEXT NOT NULL,
    resource TEXT,
    resource_id TEXT,
    details JSONB,
    previous_value JSONB,
    new_value JSONB,
    ip_address TEXT,
    user_agent TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT NOW()
  );
  CREATE INDEX ON audit_logs (workspace_id);
  CREATE INDEX ON audit_logs (user_id);
  CREATE INDEX ON audit_logs (action);
  CREATE INDEX ON audit_logs (created_at)`;
