import { sql } from 'drizzle-orm';
import {
  boolean,
  inet,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  uuid,
  customType,
} from 'drizzle-orm/pg-core';

/**
 * The tables as drizzle sees them. migrations/ is the definition; test/storage/schema.test.ts holds this against the migrated
 * database. Partitions are the database's own affair.
 */
const audit = pgSchema('audit');

/** A name of Postgres' own catalogues. */
const name = customType<{ data: string; driverData: string }>({ dataType: () => 'name' });

/** As Postgres prints it: `\x` and lower-case hex. */
const bytea = customType<{ data: string; driverData: string }>({ dataType: () => 'bytea' });

const time = (name: string) => timestamp(name, { precision: 3, withTimezone: true, mode: 'date' });

export const events = audit.table(
  'events',
  {
    workspaceId: text('workspace_id').notNull(),
    id: uuid('id').notNull(),
    createdAt: time('created_at').notNull(),
    receivedAt: time('received_at').notNull().defaultNow(),
    occurredAt: time('occurred_at').notNull(),
    action: text('action').notNull(),
    version: integer('version').notNull().default(1),
    actorType: text('actor_type').notNull(),
    actorId: text('actor_id'),
    actorName: text('actor_name'),
    actorEmail: text('actor_email'),
    onBehalfOfType: text('on_behalf_of_type'),
    onBehalfOfId: text('on_behalf_of_id'),
    targetType: text('target_type').notNull(),
    targetId: text('target_id'),
    targetName: text('target_name'),
    relatedTargets: jsonb('related_targets').$type<{ type: string; id?: string }[]>(),
    relatedTargetNames: jsonb('related_target_names').$type<(string | null)[]>(),
    outcome: text('outcome').notNull().default('success'),
    reason: text('reason'),
    oldValue: jsonb('old_value'),
    newValue: jsonb('new_value'),
    metadata: jsonb('metadata'),
    userAgent: text('user_agent'),
    requestId: text('request_id'),
    sessionId: text('session_id'),
    sourceId: text('source_id'),
    keyId: uuid('key_id'),
    size: integer('size').notNull(),
    leafHash: bytea('leaf_hash').notNull(),
    ipCommitment: bytea('ip_commitment'),
    personCommitment: bytea('person_commitment'),
    payloadCommitment: bytea('payload_commitment'),
    personSalt: bytea('person_salt'),
    payloadSalt: bytea('payload_salt'),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id, table.createdAt] })],
);

export const eventTargets = audit.table('event_targets', {
  workspaceId: text('workspace_id').notNull(),
  targetType: text('target_type').notNull(),
  targetId: text('target_id'),
  eventId: uuid('event_id').notNull(),
  createdAt: time('created_at').notNull(),
});

export const eventIps = audit.table(
  'event_ips',
  {
    workspaceId: text('workspace_id').notNull(),
    eventId: uuid('event_id').notNull(),
    createdAt: time('created_at').notNull(),
    ipAddress: inet('ip_address').notNull(),
    salt: bytea('salt').notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.eventId, table.createdAt] })],
);

export const workspaces = audit.table('workspaces', {
  id: text('id').primaryKey(),
  name: text('name').notNull().default(''),
  createdAt: time('created_at').notNull().defaultNow(),
  mode: text('mode').notNull().default('open'),
  vocabularies: text('vocabularies')
    .array()
    .notNull()
    .default(sql`'{}'::text[]`),
});

export const vocabularyTerms = audit.table(
  'vocabulary_terms',
  {
    vocabulary: text('vocabulary').notNull(),
    kind: text('kind').notNull(),
    name: text('name').notNull(),
  },
  (table) => [primaryKey({ columns: [table.vocabulary, table.kind, table.name] })],
);

export const workspaceTerms = audit.table(
  'workspace_terms',
  {
    workspaceId: text('workspace_id').notNull(),
    kind: text('kind').notNull(),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.kind, table.name] })],
);

export const readers = audit.table(
  'readers',
  {
    roleName: name('role_name').notNull(),
    workspaceId: text('workspace_id').notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.roleName, table.workspaceId] })],
);

export const apiKeys = audit.table('api_keys', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  workspaces: text('workspaces').array().notNull(),
  scopes: text('scopes').array().notNull(),
  createdAt: time('created_at').notNull().defaultNow(),
  expiresAt: time('expires_at'),
  revokedAt: time('revoked_at'),
});

export const settings = audit.table('settings', {
  singleton: boolean('singleton').primaryKey().default(true),
  ipRetentionHours: integer('ip_retention_hours').notNull().default(2160),
  eventRetentionMonths: integer('event_retention_months').notNull().default(24),
  monthsAhead: integer('months_ahead').notNull().default(3),
  daysAhead: integer('days_ahead').notNull().default(35),
});

export const madePartitions = audit.table('made_partitions', {
  name: text('name').primaryKey(),
  createdAt: time('created_at').notNull().defaultNow(),
});

export const retentionRuns = audit.table('retention_runs', {
  id: uuid('id').primaryKey(),
  trigger: text('trigger').notNull(),
  startedAt: time('started_at').notNull().defaultNow(),
  finishedAt: time('finished_at'),
  interrupted: boolean('interrupted').notNull().default(false),
  steps: jsonb('steps').notNull().default([]),
  postponed: jsonb('postponed').notNull().default([]),
  reportedAt: time('reported_at'),
});

export const idempotencyKeys = audit.table(
  'idempotency_keys',
  {
    workspaceId: text('workspace_id').notNull(),
    key: text('key').notNull(),
    bodyHash: bytea('body_hash').notNull(),
    receipt: jsonb('receipt').notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.key] })],
);

export const logPending = audit.table('log_pending', {
  workspaceId: text('workspace_id').notNull(),
  id: uuid('id').notNull(),
  createdAt: time('created_at').notNull(),
  leafHash: bytea('leaf_hash').notNull(),
});

export const deadLetters = audit.table('dead_letters', {
  id: uuid('id').primaryKey(),
  failedAt: time('failed_at').notNull().defaultNow(),
  reason: text('reason').notNull(),
  detail: text('detail').notNull(),
  sqlstate: text('sqlstate'),
  workspaceId: text('workspace_id'),
  eventId: uuid('event_id'),
  eventCreatedAt: time('event_created_at'),
  leafHash: bytea('leaf_hash'),
  contentHash: bytea('content_hash'),
  event: jsonb('event'),
  raw: bytea('raw'),
});

export const deadLetterAddresses = audit.table('dead_letter_addresses', {
  letterId: uuid('letter_id').primaryKey(),
  createdAt: time('created_at').notNull(),
  ipAddress: inet('ip_address').notNull(),
  salt: bytea('salt').notNull(),
});
