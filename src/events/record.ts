import type { AuditEventInput } from './event.ts';
import { makeId, timeOf } from './id.ts';
import { canonicalIp } from './ip.ts';
import type { ActorType, JsonObject, Outcome } from './kinds.ts';
import { formatTime, parseTime } from './time.ts';

export interface RecordedTarget {
  type: string;
  id?: string | null | undefined;
  name?: string | null | undefined;
}

/**
 * An event as it is kept: with its id, its times and its defaults. What is absent may be
 * undefined or null, so that a row read back is of this type too.
 */
export interface RecordedEvent {
  id: string;
  workspace_id: string;
  /** The time within the id; UTC with milliseconds, as all times here. */
  created_at: string;
  occurred_at: string;
  action: string;
  version: number;
  actor: {
    type: ActorType;
    id?: string | null | undefined;
    name?: string | null | undefined;
    email?: string | null | undefined;
    on_behalf_of?: { type: ActorType; id: string } | null | undefined;
  };
  target: RecordedTarget;
  related_targets?: RecordedTarget[] | null | undefined;
  outcome: Outcome;
  reason?: string | null | undefined;
  old_value?: unknown;
  new_value?: unknown;
  context?:
    | {
        ip_address?: string | null | undefined;
        user_agent?: string | null | undefined;
        request_id?: string | null | undefined;
        session_id?: string | null | undefined;
      }
    | null
    | undefined;
  metadata?: JsonObject | null | undefined;
  source_id?: string | null | undefined;
  key_id?: string | null | undefined;
}

/** Who hands an event in, and when. */
export interface Source {
  workspaceId: string;
  /** The API key that wrote it; null for what the service writes itself. */
  keyId: string | null;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Gives an event its id, its times and its defaults, and its address and times their one form.
 *
 * @param event An event that `validateEvent` accepted.
 */
export function recordEvent(event: AuditEventInput, source: Source): RecordedEvent {
  const id = event.id?.toLowerCase() ?? makeId(source.now);
  const createdAt = formatTime(timeOf(id));
  const { actor, context } = event;
  return {
    id,
    workspace_id: source.workspaceId,
    created_at: createdAt,
    occurred_at: typeof event.occurred_at === 'string' ? utc(event.occurred_at) : createdAt,
    action: event.action,
    version: event.version ?? 1,
    actor: actor.type === 'system' ? { ...actor, id: 'system' } : actor,
    target: event.target,
    related_targets: event.related_targets,
    outcome: event.outcome ?? 'success',
    reason: event.reason,
    old_value: event.old_value,
    new_value: event.new_value,
    context:
      typeof context?.ip_address === 'string'
        ? { ...context, ip_address: canonicalIp(context.ip_address) }
        : context,
    metadata: event.metadata,
    source_id: event.source_id,
    key_id: source.keyId,
  };
}

function utc(text: string): string {
  const reading = parseTime(text);
  if (!reading.ok) throw new RangeError('a validated time must be one');
  return formatTime(reading.ms);
}
