import type { SealedEvent } from './commitment.ts';
import type { RecordedEvent } from './record.ts';

/**
 * Writes the JSON object from which `audit.append` makes a row. Members without a value, or with their default, are left out.
 *
 * @param size UTF-8 bytes that the event takes when read back.
 */
export function rowOf(event: RecordedEvent, seal: SealedEvent, size: number): string {
  const { actor, target, context } = event;
  const related = event.related_targets?.length ? event.related_targets : undefined;
  const { commitments, salts } = seal;
  return JSON.stringify({
    id: event.id,
    workspace_id: event.workspace_id,
    // What is the default is left out: the database parses every name and value.
    occurred_at: event.occurred_at === event.created_at ? undefined : event.occurred_at,
    action: event.action,
    version: event.version === 1 ? undefined : event.version,
    actor_type: actor.type,
    actor_id: actor.id ?? undefined,
    actor_name: actor.name ?? undefined,
    actor_email: actor.email ?? undefined,
    on_behalf_of_type: actor.on_behalf_of?.type,
    on_behalf_of_id: actor.on_behalf_of?.id,
    target_type: target.type,
    target_id: target.id ?? undefined,
    target_name: target.name ?? undefined,
    related_targets: related?.map(({ type, id }) => ({ type, id: id ?? undefined })),
    related_target_names: related?.some(({ name }) => typeof name === 'string')
      ? related.map(({ name }) => name ?? null)
      : undefined,
    outcome: event.outcome === 'success' ? undefined : event.outcome,
    reason: event.reason ?? undefined,
    old_value: event.old_value ?? undefined,
    new_value: event.new_value ?? undefined,
    metadata: event.metadata ?? undefined,
    ip_address: context?.ip_address ?? undefined,
    user_agent: context?.user_agent ?? undefined,
    request_id: context?.request_id ?? undefined,
    session_id: context?.session_id ?? undefined,
    source_id: event.source_id ?? undefined,
    key_id: event.key_id ?? undefined,
    size,
    leaf_hash: bytea(seal.leafHash),
    ip_commitment: bytea(commitments.ip),
    person_commitment: bytea(commitments.person),
    payload_commitment: bytea(commitments.payload),
    ip_salt: bytea(salts.ip),
    person_salt: bytea(salts.person),
    payload_salt: bytea(salts.payload),
  });
}

/** The text from which Postgres reads a bytea. */
function bytea(hex: string | undefined): string | undefined {
  return hex === undefined ? undefined : `\\x${hex}`;
}
