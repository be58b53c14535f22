import * as z from 'zod';
import type { FlawCode } from './flaw.ts';
import { isId } from './id.ts';
import { canonicalIp } from './ip.ts';
import { ACTION_PATTERN, ACTOR_TYPES, OUTCOMES, type JsonObject } from './kinds.ts';
import * as limit from './limits.ts';
import { parseTime } from './time.ts';

// Workers forbid the code generation that Zod otherwise uses.
z.config({ jitless: true });

/** What one string field fails on. */
interface Complaint {
  code: FlawCode;
  detail: string;
}

/**
 * A string of so many code points, which is also how JSON Schema counts. NUL and lone surrogates are `measure`'s, which sees every string once.
 */
function text(min: number, max: number, complain?: (value: string) => Complaint | undefined) {
  return z
    .string()
    .check((context) => {
      const { value, issues } = context;
      const complaint = both(lengthComplaint(value, min, max), complain?.(value));
      if (complaint === undefined) return;
      // The value itself stays out of the issue: issues may be logged.
      const { code, detail } = complaint;
      issues.push({ code: 'custom', input: undefined, message: detail, params: { code } });
    })
    .meta({ minLength: min, maxLength: max });
}

function lengthComplaint(value: string, min: number, max: number): Complaint | undefined {
  if (value.length < min)
    return {
      code: 'too_short',
      detail: `This may have ${min} to ${max} characters, not none; leave it out where it is optional.`,
    };
  // Code points are never more than code units, so most strings need no counting.
  if (value.length <= max || (value.length <= 2 * max && Array.from(value).length <= max)) return undefined;
  return { code: 'too_long', detail: `This may have at most ${max} characters.` };
}

/** Of a wrong length: the length of an id or a time alone does not say what it should be. */
function both(length: Complaint | undefined, form: Complaint | undefined): Complaint | undefined {
  if (length === undefined || form === undefined) return length ?? form;
  return { code: length.code, detail: `${length.detail} ${form.detail}` };
}

const identifier = text(1, limit.MAX_ID_LENGTH);
const name = text(0, limit.MAX_NAME_LENGTH);
const type = text(1, limit.MAX_TYPE_LENGTH);

const action = text(1, limit.MAX_ACTION_LENGTH, (value) =>
  ACTION_PATTERN.test(value)
    ? undefined
    : {
        code: 'invalid_value',
        detail: 'Use letters and digits, in parts separated by one of . _ : - and beginning with a letter.',
      },
).meta({ pattern: ACTION_PATTERN.source });

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const eventId = text(1, limit.MAX_ID_LENGTH, (value) => {
  if (isId(value)) return undefined;
  return UUID.test(value)
    ? {
        code: 'id_version',
        detail: 'Send a UUID of version 7, or leave the id out; other ids go into source_id.',
      }
    : { code: 'invalid_value', detail: 'Send a UUID of version 7 with its hyphens, or leave the id out.' };
}).meta({ format: 'uuid' });

const time = text(1, limit.MAX_ID_LENGTH, (value) => {
  const reading = parseTime(value);
  return reading.ok ? undefined : reading;
}).meta({ format: 'date-time' });

const ipAddress = text(1, limit.MAX_ID_LENGTH, (value) =>
  canonicalIp(value) === undefined
    ? { code: 'invalid_ip', detail: 'Send one IPv4 or IPv6 address, without port, mask or zone.' }
    : undefined,
);

/** Passed on by reference: a copy would cost time and could lose a member named `__proto__`. */
const jsonObject = z
  .unknown()
  .refine(isJsonObject, { params: { code: 'wrong_type' }, error: 'Send a JSON object.' })
  .meta({ type: 'object' });

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const party = z.strictObject({ type: z.enum(ACTOR_TYPES), id: identifier });

const actor = z.strictObject({
  type: z.enum(ACTOR_TYPES),
  id: identifier.nullish(),
  name: name.nullish(),
  email: text(0, limit.MAX_EMAIL_LENGTH).nullish(),
  on_behalf_of: party.nullish(),
});

const target = z.strictObject({ type, id: identifier.nullish(), name: name.nullish() });

const context = z.strictObject({
  ip_address: ipAddress.nullish(),
  user_agent: text(0, limit.MAX_USER_AGENT_LENGTH).nullish(),
  request_id: identifier.nullish(),
  session_id: identifier.nullish(),
});

/**
 * An audit event as it is sent. Without transforms: what it accepts is of its type as it
 * stands, null counting as absent. Rules that span fields or need the clock are `validateEvent`'s.
 */
export const auditEvent = z.strictObject({
  id: eventId.nullish(),
  workspace_id: text(1, limit.MAX_WORKSPACE_ID_LENGTH).nullish(),
  action,
  occurred_at: time.nullish(),
  actor,
  target,
  related_targets: z.array(target).max(limit.MAX_RELATED_TARGETS).nullish(),
  outcome: z.enum(OUTCOMES).nullish(),
  reason: text(0, limit.MAX_REASON_LENGTH).nullish(),
  old_value: z.unknown().optional(),
  new_value: z.unknown().optional(),
  context: context.nullish(),
  metadata: jsonObject.nullish(),
  source_id: identifier.nullish(),
  version: z.int({ abort: true }).min(1).max(limit.MAX_VERSION).nullish(),
});

/** An audit event as it is sent. */
export type AuditEventInput = z.output<typeof auditEvent>;

/** The names that an object of an event may have, by the event's own structure. */
export const FIELD_NAMES: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(auditEvent.shape),
  '/actor': Object.keys(actor.shape),
  '/actor/on_behalf_of': Object.keys(party.shape),
  '/target': Object.keys(target.shape),
  '/related_targets': Object.keys(target.shape),
  '/context': Object.keys(context.shape),
};
