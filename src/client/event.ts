import type { EventOf, TargetTypeOf } from '../events/catalogue.ts';
import type { ActorType, JsonObject, Outcome } from '../events/kinds.ts';

type Optional<T> = T | null | undefined;

/** Who acted. `id` is required but for anonymous and system actors. */
export interface Actor {
  type: ActorType;
  id?: Optional<string>;
  name?: Optional<string>;
  email?: Optional<string>;
  /** where someone acts for another: support staff, an agent */
  on_behalf_of?: Optional<{ type: ActorType; id: string }>;
}

/** What was acted on. */
export interface Target {
  type: string;
  id?: Optional<string>;
  name?: Optional<string>;
}

/** Where the request came from. */
export interface EventContext {
  /** IPv4 or IPv6, without port or mask; forgotten after 90 days */
  ip_address?: Optional<string>;
  user_agent?: Optional<string>;
  request_id?: Optional<string>;
  session_id?: Optional<string>;
}

/** An audit event as it is sent; null counts as absent. The fields are described in docs/design.md, section 3. */
export interface AuditEvent {
  /** a UUIDv7 of the last 7 days; made when the event is logged unless it is given */
  id?: Optional<string>;
  workspace_id?: Optional<string>;
  action: string;
  /** RFC 3339 with an offset */
  occurred_at?: Optional<string>;
  actor: Actor;
  target: Target;
  related_targets?: Optional<Target[]>;
  outcome?: Optional<Outcome>;
  reason?: Optional<string>;
  old_value?: unknown;
  new_value?: unknown;
  context?: Optional<EventContext>;
  metadata?: Optional<JsonObject>;
  source_id?: Optional<string>;
  version?: Optional<number>;
}

/** What a child logger already knows of each event. */
export type Defaults = Partial<Omit<AuditEvent, 'id'>>;

/** An event without what is known of it already, which may be given all the same. */
export type Without<Known extends keyof AuditEvent, Event = AuditEvent> =
  // Of each action by itself: its target and metadata stay its own.
  Event extends unknown ? Omit<Event, Known> & Partial<Pick<Event, Known & keyof Event>> : never;

type Own<E, Type> = E extends { action: string; target: Target }
  ? Omit<AuditEvent, 'action' | 'target' | 'metadata' | 'related_targets'> &
      E & { related_targets?: Optional<(Target & { type: Type })[]> }
  : never;

/** An event that a catalogue takes. */
export type CatalogueEvent<D> = Own<EventOf<D>, TargetTypeOf<D>>;

type Member<Event, Name extends string> = Event extends Record<Name, infer Value> ? Value : never;

/** What may be known of an event before it is logged: part of its metadata, too. */
export type DefaultsOf<Event> = Omit<Defaults, 'action' | 'target'> & {
  action?: Member<Event, 'action'>;
  target?: Member<Event, 'target'>;
};

/** The event with what is known of it. Contexts and metadata are merged, the event's own members first. */
export function complete(known: Defaults, event: Partial<AuditEvent>): Partial<AuditEvent> {
  const merged = { ...known, ...given(event) };
  if (known.context && event.context) merged.context = { ...known.context, ...given(event.context) };
  if (known.metadata && event.metadata) merged.metadata = { ...known.metadata, ...given(event.metadata) };
  return merged;
}

/** What is undefined says nothing, and takes the place of nothing. */
export function given<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}
