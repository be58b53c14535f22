import { meaningOf } from '../events/secret-names.ts';

const REDACTED = '[redacted]';

/**
 * Takes out what stands under the name of a secret, at any depth: `password`, `apiKey`, `x-auth-token`. Daybook redacts
 * again, by the looks of values too; this keeps what is named a secret from leaving the process.
 */
export function redactNames(event: Record<string, unknown>): Record<string, unknown> {
  for (const field of ['metadata', 'old_value', 'new_value']) event[field] = redactIn(event[field]);
  return event;
}

/** @param value of JSON, changed in place */
function redactIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => redactIn(element));
  // Members of an object are read by their names, whatever its type.
  const object = value as Record<string, unknown>;
  for (const [name, member] of Object.entries(object)) {
    const isSecret =
      meaningOf(name).secrecy === 'certain' ||
      (typeof member === 'string' && meaningOf(name).secrecy === 'likely');
    object[name] = isSecret && member !== null && typeof member !== 'boolean' ? REDACTED : redactIn(member);
  }
  return value;
}
