import { sealEvent } from './commitment.ts';
import type { Flaw } from './flaw.ts';
import { MAX_EVENT_BYTES } from './limits.ts';
import { measure } from './measure.ts';
import { recordEvent, type Source } from './record.ts';
import { redactEvent } from './redaction.ts';
import { rowBytes, rowOf } from './row.ts';
import { termsOf, type EventTerms } from './terms.ts';
import { validateEvent } from './validate.ts';

/** Where an event comes from. The workspace is settled: the event's own `workspace_id` is not looked at. */
export interface Origin extends Source {
  /** Whether a sent id must be of the last 7 days: at the HTTP door, not for what was queued or is imported. */
  checkWindow: boolean;
}

/** An event ready for the store. */
export interface PreparedEvent {
  id: string;
  workspaceId: string;
  /** The time within the id, in UTC with milliseconds. */
  createdAt: string;
  /** The literal of `audit.incoming_event`. */
  row: string;
  /** What `row` takes of a call, by `rowBytes`. */
  bytes: number;
  /** Lower-case hex. */
  leafHash: string;
  /** Where secrets were replaced, as RFC 6901 pointers. */
  redacted: string[];
  /** What a strict workspace is asked about. */
  terms: EventTerms;
}

/**
 * Takes an event from what was sent to what is stored: checked, free of secrets, identified and
 * committed to. The only way into the store.
 *
 * @param raw A value that `readJson` read without flaws, or one made in code.
 */
export function prepareEvent(
  raw: unknown,
  origin: Origin,
): { ok: true; event: PreparedEvent } | { ok: false; flaws: Flaw[] } {
  const sent = measure(raw);
  // First, since it bounds what everything after it costs.
  if (sent.ok && sent.canonical > MAX_EVENT_BYTES) return { ok: false, flaws: [tooLarge] };
  const valid = validateEvent(raw, origin);
  if (!sent.ok) return { ok: false, flaws: valid.ok ? sent.flaws : [...sent.flaws, ...valid.flaws] };
  if (!valid.ok) return valid;

  const { event, redacted } = redactEvent(valid.event);
  // Numbers may grow in the store, and a replacement may be longer than what it replaces.
  const kept = redacted.length === 0 ? sent : measure(event);
  if (!kept.ok) return kept;
  if (Math.max(kept.canonical, kept.stored) > MAX_EVENT_BYTES) return { ok: false, flaws: [tooLarge] };

  const record = recordEvent(event, origin);
  const seal = sealEvent(record);
  const row = rowOf(record, seal, kept.stored);
  return {
    ok: true,
    event: {
      id: record.id,
      workspaceId: record.workspace_id,
      createdAt: record.created_at,
      row,
      bytes: rowBytes(row),
      leafHash: seal.leafHash,
      redacted,
      terms: termsOf(event),
    },
  };
}

const tooLarge: Flaw = {
  pointer: '',
  code: 'too_large',
  detail: `An event may take ${MAX_EVENT_BYTES} bytes as canonical JSON, numbers written out; send less of it.`,
};
