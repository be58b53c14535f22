import type * as z from 'zod';
import { auditEvent, FIELD_NAMES, type AuditEventInput } from './event.ts';
import { pointerTo, type Flaw, type FlawCode, FLAW_CODES } from './flaw.ts';
import { isId, timeOf } from './id.ts';
import { MAX_ID_AGE_MS, MAX_RELATED_TARGETS } from './limits.ts';
import { nearestName } from './nearest.ts';
import { MAX_AHEAD_MS, MAX_TIME_MS, parseTime } from './time.ts';

const MAX_FLAWS = 20;
const MAX_NAME_SHOWN = 64;

export interface Clock {
  /** Milliseconds since 1970. */
  now: number;
  /** Whether a sent id must be of the last 7 days: at the HTTP door, not for what was queued or is imported. */
  checkWindow: boolean;
}

/**
 * Holds a value to every rule of an event but size, depth and the characters of its strings,
 * which are `measure`'s.
 *
 * @returns The same value, typed, or what is wrong with it (at most 20 flaws).
 */
export function validateEvent(
  raw: unknown,
  clock: Clock,
): { ok: true; event: AuditEventInput } | { ok: false; flaws: Flaw[] } {
  const fields = asObject(raw);
  if (isList(fields['related_targets']) && fields['related_targets'].length > MAX_RELATED_TARGETS) {
    // Before the schema, which would look at every one of them.
    return { ok: false, flaws: [tooManyTargets] };
  }
  const parsed = auditEvent.safeParse(raw);
  const flaws = parsed.success ? [] : parsed.error.issues.flatMap((issue) => flawsOf(issue, raw));
  flaws.push(...actorFlaws(asObject(fields['actor'])), ...clockFlaws(fields, clock));
  if (flaws.length > 0) return { ok: false, flaws: flaws.slice(0, MAX_FLAWS) };
  // The schema has no transforms, so the value itself is what it accepted.
  return { ok: true, event: raw as AuditEventInput };
}

const tooManyTargets: Flaw = {
  pointer: '/related_targets',
  code: 'too_long',
  detail: `Send at most ${MAX_RELATED_TARGETS} related targets.`,
};

function actorFlaws(actor: Record<string, unknown>): Flaw[] {
  const { type, id } = actor;
  const isAbsent = id === undefined || id === null;
  if (type === 'anonymous' && !isAbsent) {
    return [flaw('/actor/id', 'invalid_value', 'An anonymous actor has no id; leave it out.')];
  }
  if (type === 'system' && !isAbsent && id !== 'system') {
    return [
      flaw(
        '/actor/id',
        'invalid_value',
        'The id of a system actor is "system"; leave it out, or use type service.',
      ),
    ];
  }
  if (typeof type === 'string' && type !== 'anonymous' && type !== 'system' && isAbsent) {
    return [
      flaw('/actor/id', 'required', 'Send the id of the actor; only anonymous and system actors go without.'),
    ];
  }
  return [];
}

function clockFlaws(fields: Record<string, unknown>, clock: Clock): Flaw[] {
  const flaws: Flaw[] = [];
  const { occurred_at: occurredAt, id } = fields;
  const occurred = typeof occurredAt === 'string' ? parseTime(occurredAt) : undefined;
  if (occurred?.ok === true && occurred.ms > clock.now + MAX_AHEAD_MS) {
    flaws.push(flaw('/occurred_at', 'time_out_of_range', 'Send a time at most 5 minutes ahead of now.'));
  }
  const outside = typeof id === 'string' && isId(id) ? windowDetail(timeOf(id), clock) : undefined;
  if (outside !== undefined) flaws.push(flaw('/id', 'id_window', outside));
  return flaws;
}

/** What is wrong with the time within an id. */
function windowDetail(idTime: number, { now, checkWindow }: Clock): string | undefined {
  if (!checkWindow)
    return idTime > MAX_TIME_MS ? 'The time within the id may be of the year 9998 at most.' : undefined;
  if (idTime > now + MAX_AHEAD_MS)
    return 'The time within the id must be at most 5 minutes ahead of now; set the clock of what makes your ids.';
  if (idTime >= now - MAX_ID_AGE_MS) return undefined;
  return 'The id must be at most 7 days old. An older event may have been stored already: send it under a new id only if it was not.';
}

function flawsOf(issue: z.core.$ZodIssue, raw: unknown): Flaw[] {
  const pointer = issue.path.reduce<string>((parent, token) => pointerTo(parent, tokenOf(token)), '');
  if (issue.code === 'unrecognized_keys') return unknownFields(pointer, issue.keys);
  if (issue.code === 'custom') return [flaw(pointer, codeOf(issue.params), issue.message)];
  const value = valueAt(raw, issue.path);
  if (value === undefined && pointer !== '') return [flaw(pointer, 'required', 'This field is required.')];
  switch (issue.code) {
    case 'invalid_type':
      return [flaw(pointer, 'wrong_type', EXPECTED[issue.expected] ?? 'This is not of the right type.')];
    case 'invalid_value':
      if (typeof value !== 'string') return [flaw(pointer, 'wrong_type', 'Send a string.')];
      return [flaw(pointer, 'invalid_value', `Send one of: ${issue.values.join(', ')}.`)];
    default:
      return [flaw(pointer, 'invalid_value', 'Send an integer from 1 to 2147483647.')];
  }
}

const EXPECTED: Record<string, string> = {
  string: 'Send a string.',
  object: 'Send a JSON object.',
  array: 'Send an array.',
  number: 'Send an integer.',
  int: 'Send an integer.',
};

function unknownFields(parent: string, names: string[]): Flaw[] {
  const known = FIELD_NAMES[parent.replace(/\/\d+$/, '')] ?? [];
  return names.slice(0, MAX_FLAWS).map((name) => {
    const shown = name.toWellFormed().slice(0, MAX_NAME_SHOWN);
    const near = nearestName(name, known);
    const hint = near === undefined ? 'put what is your own into metadata' : `did you mean "${near}"`;
    const end = near === undefined ? '.' : '?';
    return flaw(pointerTo(parent, name), 'unknown_field', `There is no field "${shown}" here: ${hint}${end}`);
  });
}

function flaw(pointer: string, code: FlawCode, detail: string): Flaw {
  return { pointer, code, detail };
}

function codeOf(params: Record<string, unknown> | undefined): FlawCode {
  return FLAW_CODES.find((code) => code === params?.['code']) ?? 'invalid_value';
}

/** JSON has no symbols for names; Zod's types allow them. */
function tokenOf(token: PropertyKey): string | number {
  return typeof token === 'symbol' ? '' : token;
}

/** What stands at a path; undefined where there is nothing, or null. */
function valueAt(raw: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((value, token) => asObject(value)[String(tokenOf(token))], raw) ?? undefined;
}

function asObject(value: unknown): Record<string, unknown> {
  // Arrays are read by their indices, which are names too.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}
