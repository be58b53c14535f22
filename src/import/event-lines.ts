import { isId, timeOf } from '../events/id.ts';
import { parseTime } from '../events/time.ts';
import { importedId } from './imported-id.ts';
import type { Ordinals } from './ordinals.ts';
import { prepareRow, type PreparedRow } from './prepare-row.ts';
import type { RowReader } from './table-rows.ts';

/** What the service adds to an event it answers; it is made anew. */
const ANSWERED = new Set(['received_at', 'key_id', 'leaf_hash', 'commitments']);

/**
 * Reads Daybook's own events, as they are sent or answered, of any age: their time is that in their id, otherwise
 * `created_at`, otherwise `occurred_at`. One without an id is told by its content, and by how often that came before.
 */
export function eventReader(workspaceId: string | undefined, ordinals: Ordinals): RowReader {
  return (_, values, now) => {
    const { created_at: createdAt, workspace_id: own, id, ...rest } = values;
    const event: Record<string, unknown> = Object.fromEntries(
      Object.entries(rest).filter(([name]) => !ANSWERED.has(name)),
    );
    event['context'] = withoutForgotten(event['context']);
    const said = timeIn(createdAt);
    const time = typeof id === 'string' && isId(id) ? timeOf(id) : (said ?? timeIn(event['occurred_at']));
    if (createdAt !== undefined && createdAt !== null && (said === undefined || said !== time))
      return refuse('invalid_value', NOT_THE_TIME);
    // Nothing but a bad id can be without a time and have an id; what is wrong with it the validation says.
    if (time === undefined && (id === undefined || id === null)) return refuse('required', NO_TIME);
    const { source_id: sourceId } = event;
    const identity = () => {
      if (typeof sourceId === 'string') return ['id', sourceId];
      const text = JSON.stringify(values);
      return ['row', text, String(ordinals.next(text))];
    };
    const createdAtMs = time ?? 0;
    return prepareRow(
      {
        event,
        workspaceId: own ?? workspaceId,
        createdAt: createdAtMs,
        idOf: (workspace) => id ?? importedId(createdAtMs, [workspace, 'ndjson', ...identity()]),
      },
      now,
    );
  };
}

const NO_TIME = 'Without an id an imported event needs created_at or occurred_at, an RFC 3339 time.';
const NOT_THE_TIME = 'This is not an RFC 3339 time, or another one than that in the id.';

function refuse(code: string, detail: string): PreparedRow {
  return { ok: false, reasons: [{ pointer: '/created_at', code, detail }] };
}

function timeIn(value: unknown): number | undefined {
  const reading = typeof value === 'string' ? parseTime(value) : undefined;
  return reading?.ok === true ? reading.ms : undefined;
}

/** An address that an answer no longer has. */
function withoutForgotten(context: unknown): unknown {
  if (typeof context !== 'object' || context === null || !('ip_address' in context)) return context;
  return context.ip_address === '[anonymized]' ? { ...context, ip_address: null } : context;
}
