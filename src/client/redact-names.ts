import { secrecyOf } from './secret-name.ts';

const REDACTED = '[redacted]';

/**
 * Takes out what stands under the name of a secret, at any depth: `password`, `apiKey`, `x-auth-token`; and the values of a
 * setting that is named so. Daybook redacts again, by the looks of values too; this keeps what is named a secret from
 * leaving the process.
 */
export function redactNames(event: Record<string, unknown>): Record<string, unknown> {
  // A target that is none has no members either.
  const { id, name } = (event['target'] ?? {}) as { id?: unknown; name?: unknown };
  const setting = secrecyOf(String(id)) ?? secrecyOf(String(name));
  for (const field of ['metadata', 'old_value', 'new_value']) {
    const value = event[field];
    event[field] = redacted(value, typeof value === 'object' ? undefined : setting);
  }
  return event;
}

/** @param value of JSON, changed in place */
function redacted(value: unknown, secrecy?: number): unknown {
  if (secrecy !== undefined && holdsSecret(value, secrecy)) return REDACTED;
  if (typeof value === 'string') return redactedText(value);
  if (typeof value !== 'object' || value === null) return value;
  // Members of an object are read by their names, whatever its type; those of an array have none that says anything.
  const object = value as Record<string, unknown>;
  for (const [name, member] of Object.entries(object)) object[name] = redacted(member, secrecyOf(name));
  return value;
}

/** JSON within a text is redacted too; what holds no secret stays as it was written. */
function redactedText(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    const before = JSON.stringify(value);
    const after = JSON.stringify(redacted(value));
    return after === before ? text : after;
  } catch {
    return text;
  }
}

/** Whether a value, or anything in it, could be the secret that its name announces. */
function holdsSecret(value: unknown, secrecy: number): boolean {
  const given = value ?? {};
  if (typeof given === 'object') return Object.values(given).some((each) => holdsSecret(each, secrecy));
  return typeof value !== 'boolean' && !(Math.abs(Number(value)) < secrecy);
}
