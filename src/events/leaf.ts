import { canonical } from './canonical.ts';
import type { RecordedEvent } from './record.ts';

/** Lower-case hex SHA-256 of each group that may have to be forgotten; absent for an empty group. */
export interface Commitments {
  ip?: string | undefined;
  person?: string | undefined;
  payload?: string | undefined;
}

/**
 * The leaf of an event in the log, version 1: canonical JSON of what is never forgotten, and
 * commitments to the rest. Its hash is what the transparency log holds (`leafHash`).
 */
export function leafText(event: RecordedEvent, commitments: Commitments): string {
  const { actor, context } = event;
  return canonical({
    v: 1,
    id: event.id,
    workspace_id: event.workspace_id,
    created_at: event.created_at,
    occurred_at: event.occurred_at,
    action: event.action,
    version: event.version,
    actor: {
      type: actor.type,
      id: actor.id ?? undefined,
      on_behalf_of: actor.on_behalf_of ? typeAndId(actor.on_behalf_of) : undefined,
    },
    target: typeAndId(event.target),
    related_targets: event.related_targets?.length ? event.related_targets.map(typeAndId) : undefined,
    outcome: event.outcome,
    request_id: context?.request_id ?? undefined,
    source_id: event.source_id ?? undefined,
    key_id: event.key_id ?? undefined,
    ...commitments,
  });
}

/** The canonical JSON that the ip commitment covers; undefined where the event has no address. */
export function ipText(event: RecordedEvent): string | undefined {
  const address = event.context?.ip_address ?? undefined;
  return address === undefined ? undefined : canonical(address);
}

/** The canonical JSON of what describes persons: names, e-mail, user agent, session. */
export function personText(event: RecordedEvent): string | undefined {
  const { actor, target, related_targets: related, context } = event;
  return canonicalMembers({
    actor: present({ name: actor.name, email: actor.email }),
    target: present({ name: target.name }),
    // Aligned with the related targets; those without a name keep their place.
    related_targets: related?.some((item) => isPresent(item.name))
      ? related.map((item) => present({ name: item.name }) ?? {})
      : undefined,
    context: present({ user_agent: context?.user_agent, session_id: context?.session_id }),
  });
}

/** The canonical JSON of what the sender put in freely. */
export function payloadText(event: RecordedEvent): string | undefined {
  const { old_value, new_value, metadata, reason } = event;
  const isEmpty = !isPresent(metadata) || Object.keys(metadata).length === 0;
  return canonicalMembers({ old_value, new_value, metadata: isEmpty ? undefined : metadata, reason });
}

function typeAndId({ type, id }: { type: string; id?: string | null | undefined }) {
  return { type, id: id ?? undefined };
}

function canonicalMembers(members: Record<string, unknown>): string | undefined {
  const left = present(members);
  return left === undefined ? undefined : canonical(left);
}

/** The members that are neither undefined nor null; undefined where there are none. */
function present(members: Record<string, unknown>): Record<string, unknown> | undefined {
  const left: Record<string, unknown> = {};
  let isEmpty = true;
  for (const [name, member] of Object.entries(members)) {
    if (!isPresent(member)) continue;
    left[name] = member;
    isEmpty = false;
  }
  return isEmpty ? undefined : left;
}

function isPresent<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}
