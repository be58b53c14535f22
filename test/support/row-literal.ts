import { readJson } from '../../src/events/json.ts';

/** The columns of `audit.incoming_event`, in its order. */
export const COLUMNS = [
  'workspace_id',
  'id',
  'occurred_at',
  'action',
  'version',
  'actor_type',
  'actor_id',
  'actor_name',
  'actor_email',
  'on_behalf_of_type',
  'on_behalf_of_id',
  'target_type',
  'target_id',
  'target_name',
  'related_targets',
  'related_target_names',
  'outcome',
  'reason',
  'old_value',
  'new_value',
  'metadata',
  'user_agent',
  'request_id',
  'session_id',
  'source_id',
  'key_id',
  'size',
  'leaf_hash',
  'ip_commitment',
  'person_commitment',
  'payload_commitment',
  'person_salt',
  'payload_salt',
  'ip_address',
  'ip_salt',
] as const;

const JSON_COLUMNS = new Set([
  'related_targets',
  'related_target_names',
  'old_value',
  'new_value',
  'metadata',
  'version',
  'size',
]);

/** `JSON.parse` of Node 24 takes some escaped names for others (nodejs/node#63785). */
export function parseJson(text: string): unknown {
  const reading = readJson(text);
  if (!reading.ok) throw new Error(reading.detail);
  return reading.value;
}

/** Reads a row literal by the rules of the PostgreSQL manual (8.16.6), as an object of the columns that have a value. */
export function readRow(literal: string): Record<string, unknown> {
  const values: (string | null)[] = [];
  let at = 1;
  while (at < literal.length) {
    let value: string | null = null;
    let isQuoted = false;
    for (; isQuoted || !',)'.includes(literal.charAt(at)); at += 1) {
      const character = literal.charAt(at);
      value ??= '';
      if (character === '') throw new Error('the row literal does not end');
      if (character === '\\' || (isQuoted && literal.startsWith('""', at))) {
        at += 1;
        value += literal.charAt(at);
      } else if (character === '"') isQuoted = !isQuoted;
      else value += character;
    }
    values.push(value);
    at += 1;
  }
  if (values.length !== COLUMNS.length) throw new Error(`a row of ${values.length} columns`);
  const named = COLUMNS.flatMap((name, index) => {
    const value = values[index] ?? null;
    return value === null ? [] : [[name, JSON_COLUMNS.has(name) ? parseJson(value) : value] as const];
  });
  return Object.fromEntries(named);
}
