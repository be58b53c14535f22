import type { SealedEvent } from './commitment.ts';
import { isPrintableAscii, utf8Length } from './measure.ts';
import type { RecordedEvent } from './record.ts';

/**
 * Writes the literal of `audit.incoming_event` from which the database makes a row: values by position, for names would
 * be half of what the database has to read.
 *
 * @param size UTF-8 bytes that the event takes when read back.
 */
export function rowOf(event: RecordedEvent, seal: SealedEvent, size: number): string {
  const { actor, target, context } = event;
  const related = event.related_targets?.length ? event.related_targets : undefined;
  const { commitments, salts } = seal;
  // In the order of the type. Nothing stands for null: where the event has no value, or the database's default.
  const columns = [
    text(event.workspace_id),
    event.id,
    event.occurred_at === event.created_at ? null : event.occurred_at,
    text(event.action),
    event.version,
    actor.type,
    text(actor.id),
    text(actor.name),
    text(actor.email),
    actor.on_behalf_of?.type,
    text(actor.on_behalf_of?.id),
    text(target.type),
    text(target.id),
    text(target.name),
    json(related?.map(({ type, id }) => ({ type, id: id ?? undefined }))),
    related?.some(({ name }) => typeof name === 'string')
      ? json(related.map(({ name }) => name ?? null))
      : null,
    event.outcome,
    text(event.reason),
    json(event.old_value),
    json(event.new_value),
    json(event.metadata),
    text(context?.user_agent),
    text(context?.request_id),
    text(context?.session_id),
    text(event.source_id),
    event.key_id,
    size,
    bytea(seal.leafHash),
    bytea(commitments.ip),
    bytea(commitments.person),
    bytea(commitments.payload),
    bytea(salts.person),
    bytea(salts.payload),
    context?.ip_address,
    bytea(salts.ip),
  ];
  return `(${columns.join(',')})`;
}

/** What comes before the space. */
const CONTROL = /[^ -\uffff]/;

/**
 * The UTF-8 bytes of a row, or half of those that it takes as a JSON string where these are more: a call is JSON, in which
 * quotes and backslashes are two bytes, and control characters, which only texts sent by hand hold, up to six.
 */
export function rowBytes(row: string): number {
  if (isPrintableAscii(row)) return row.length;
  const bytes = utf8Length(row);
  return CONTROL.test(row) ? Math.max(bytes, Math.ceil(utf8Length(JSON.stringify(row)) / 2)) : bytes;
}

// What stands in a row literal (PostgreSQL manual, section 8.16.6): texts in quotes where they could be misread,
// with quotes and backslashes doubled.

const PLAIN = /^[\w.:@/-]+$/;

function text(value: string | null | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  return PLAIN.test(value) ? value : quoted(value);
}

function json(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : quoted(JSON.stringify(value));
}

function bytea(hex: string | undefined): string | undefined {
  return hex === undefined ? undefined : `\\\\x${hex}`;
}

function quoted(value: string): string {
  const escaped = value.includes('\\') ? value.replaceAll('\\', '\\\\') : value;
  return `"${escaped.replaceAll('"', '""')}"`;
}
