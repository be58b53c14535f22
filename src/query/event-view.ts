import { sql } from 'drizzle-orm';
import { events } from '../db/schema.ts';
import { formatTime } from '../events/time.ts';

/** What every read of an event selects. JSON comes as text: the driver and drizzle would each parse it once. */
export const eventColumns = {
  id: events.id,
  workspaceId: events.workspaceId,
  createdAt: events.createdAt,
  receivedAt: events.receivedAt,
  occurredAt: events.occurredAt,
  action: events.action,
  version: events.version,
  actorType: events.actorType,
  actorId: events.actorId,
  actorName: events.actorName,
  actorEmail: events.actorEmail,
  onBehalfOfType: events.onBehalfOfType,
  onBehalfOfId: events.onBehalfOfId,
  targetType: events.targetType,
  targetId: events.targetId,
  targetName: events.targetName,
  relatedTargets: sql<string | null>`${events.relatedTargets}::text`,
  relatedTargetNames: sql<string | null>`${events.relatedTargetNames}::text`,
  outcome: events.outcome,
  reason: events.reason,
  oldValue: sql<string | null>`${events.oldValue}::text`,
  newValue: sql<string | null>`${events.newValue}::text`,
  metadata: sql<string | null>`${events.metadata}::text`,
  userAgent: events.userAgent,
  requestId: events.requestId,
  sessionId: events.sessionId,
  sourceId: events.sourceId,
  keyId: events.keyId,
  leafHash: sql<string>`encode(${events.leafHash}, 'hex')`,
  ipCommitment: sql<string | null>`encode(${events.ipCommitment}, 'hex')`,
  personCommitment: sql<string | null>`encode(${events.personCommitment}, 'hex')`,
  payloadCommitment: sql<string | null>`encode(${events.payloadCommitment}, 'hex')`,
};

/** One row of `eventColumns`. */
export interface EventRow {
  id: string;
  workspaceId: string;
  createdAt: Date;
  receivedAt: Date;
  occurredAt: Date;
  action: string;
  version: number;
  actorType: string;
  actorId: string | null;
  actorName: string | null;
  actorEmail: string | null;
  onBehalfOfType: string | null;
  onBehalfOfId: string | null;
  targetType: string;
  targetId: string | null;
  targetName: string | null;
  relatedTargets: string | null;
  relatedTargetNames: string | null;
  outcome: string;
  reason: string | null;
  oldValue: string | null;
  newValue: string | null;
  metadata: string | null;
  userAgent: string | null;
  requestId: string | null;
  sessionId: string | null;
  sourceId: string | null;
  keyId: string | null;
  leafHash: string;
  ipCommitment: string | null;
  personCommitment: string | null;
  payloadCommitment: string | null;
}

/** What stands where an address was. */
export const ANONYMIZED = '[anonymized]';

/**
 * An event as the API answers it: the fields as sent, and those the service adds.
 * @param address its IP address, when it can still be read
 */
export function eventView(row: EventRow, address: string | undefined) {
  return {
    id: row.id,
    workspace_id: row.workspaceId,
    created_at: formatTime(row.createdAt.getTime()),
    received_at: formatTime(row.receivedAt.getTime()),
    occurred_at: formatTime(row.occurredAt.getTime()),
    action: row.action,
    version: row.version,
    actor: {
      type: row.actorType,
      id: row.actorId,
      name: row.actorName,
      email: row.actorEmail,
      on_behalf_of: row.onBehalfOfType === null ? null : { type: row.onBehalfOfType, id: row.onBehalfOfId },
    },
    target: { type: row.targetType, id: row.targetId, name: row.targetName },
    related_targets: relatedTargets(row),
    outcome: row.outcome,
    reason: row.reason,
    old_value: json(row.oldValue),
    new_value: json(row.newValue),
    context: {
      ip_address: row.ipCommitment === null ? null : (address ?? ANONYMIZED),
      user_agent: row.userAgent,
      request_id: row.requestId,
      session_id: row.sessionId,
    },
    metadata: json(row.metadata),
    source_id: row.sourceId,
    key_id: row.keyId,
    leaf_hash: row.leafHash,
    commitments: { ip: row.ipCommitment, person: row.personCommitment, payload: row.payloadCommitment },
  };
}

export type EventView = ReturnType<typeof eventView>;

function relatedTargets(row: EventRow) {
  const targets = json(row.relatedTargets) as { type: string; id?: string }[] | null;
  const names = json(row.relatedTargetNames) as (string | null)[] | null;
  return (targets ?? []).map(({ type, id }, index) => ({
    type,
    id: id ?? null,
    name: names?.[index] ?? null,
  }));
}

function json(text: string | null): unknown {
  return text === null ? null : JSON.parse(text);
}
