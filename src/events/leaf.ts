import { canonical } from './canonical.ts';
import type { RecordedEvent } from './record.ts';

/** Lower-case hex SHA-256 of each group that may have to be forgotten; absent for an empty group. */
export interface Commitments {
  ip?: string | undefined;
  person?: string | undefined;
  payload?: string | undefined;
}

// The members below stand in canonical order (RFC 8785) already, and JSON.stringify writes strings and numbers as
// canonical form does; only what the sender put in freely has to be sorted.

/**
 * The leaf of an event in the log, version 1: canonical JSON of what is never forgotten, and
 * commitments to the rest. Its hash is what the transparency log holds (`leafHash`).
 */
export function leafText(event: RecordedEvent, commitments: Commitments): string {
  const { actor, context } = event;
  return JSON.stringify({
    action: event.action,
    actor: {
      id: actor.id ?? undefined,
      on_behalf_of: actor.on_behalf_of ? idAndType(actor.on_behalf_of) : undefined,
      type: actor.type,
    },
    created_at: event.created_at,
    id: event.id,
    ip: commitments.ip,
    key_id: event.key_id ?? undefined,
    occurred_at: event.occurred_at,
    outcome: event.outcome,
    payload: commitments.payload,
    person: commitments.person,
    related_targets: event.related_targets?.length ? event.related_targets.map(idAndType) : undefined,
    request_id: context?.request_id ?? undefined,
    source_id: event.source_id ?? undefined,
    target: idAndType(event.target),
    v: 1,
    version: event.version,
    workspace_id: event.workspace_id,
  });
}

/** The canonical JSON that the ip commitment covers; undefined where the event has no address. */
export function ipText(event: RecordedEvent): string | undefined {
  const address = event.context?.ip_address ?? undefined;
  return address === undefined ? undefined : JSON.stringify(address);
}

/** The canonical JSON of what describes persons: names, e-mail, user agent, session. */
export function personText(event: RecordedEvent): string | undefined {
  const { actor, target, related_targets: related, context } = event;
  const text = JSON.stringify({
    actor: unlessEmpty({ email: actor.email ?? undefined, name: actor.name ?? undefined }),
    context: unlessEmpty({
      session_id: context?.session_id ?? undefined,
      user_agent: context?.user_agent ?? undefined,
    }),
    // Aligned with the related targets; those without a name keep their place.
    related_targets: related?.some(({ name }) => isPresent(name))
      ? related.map(({ name }) => ({ name: name ?? undefined }))
      : undefined,
    target: unlessEmpty({ name: target.name ?? undefined }),
  });
  return text === '{}' ? undefined : text;
}

/** The canonical JSON of what the sender put in freely. */
export function payloadText(event: RecordedEvent): string | undefined {
  const { metadata, new_value, old_value, reason } = event;
  const members: string[] = [];
  if (isPresent(metadata) && Object.keys(metadata).length > 0)
    members.push(`"metadata":${canonical(metadata)}`);
  if (isPresent(new_value)) members.push(`"new_value":${canonical(new_value)}`);
  if (isPresent(old_value)) members.push(`"old_value":${canonical(old_value)}`);
  if (isPresent(reason)) members.push(`"reason":${JSON.stringify(reason)}`);
  return members.length === 0 ? undefined : `{${members.join(',')}}`;
}

function idAndType({ id, type }: { type: string; id?: string | null | undefined }) {
  return { id: id ?? undefined, type };
}

function unlessEmpty<T extends object>(members: T): T | undefined {
  return Object.values(members).some((member) => member !== undefined) ? members : undefined;
}

function isPresent<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}
