import type { AuditEventInput } from './event.ts';
import * as limit from './limits.ts';
import { JsonRedactor, secrecyNamedBy } from './redact-json.ts';
import { secrecyOfName, type Secrecy } from './secret-names.ts';
import { redactUrlSecrets, REDACTED } from './secret-text.ts';

export { REDACTED } from './secret-text.ts';

export interface Redaction {
  /** The event without secrets; what held none is the same object as before. */
  event: AuditEventInput;
  /** Where something was replaced, as RFC 6901 pointers into the redacted event. */
  redacted: string[];
}

/**
 * Takes secrets out of every free field of an event: by the name they stand under, and by their
 * looks wherever they stand. Doing it twice changes nothing more.
 *
 * @param event An event that `validateEvent` and `measure` accepted.
 */
export function redactEvent(event: AuditEventInput): Redaction {
  const redactor = new JsonRedactor();
  const secrecy = secrecyOfValues(event);
  const withoutValues = (secrecy === undefined ? values : namedValues(secrecy))(redactor, event);
  // Rules put strings in the place of scalars, and leave the shape of the event alone.
  const result = around(redactor, withoutValues) as AuditEventInput;
  return { event: result, redacted: redactor.redacted };
}

/** How a field is redacted; answers the value itself where it holds no secret. */
type Rule = (redactor: JsonRedactor, value: unknown) => unknown;

const json: Rule = (redactor, value) => redactor.value(value);

/** The value of a setting, a string or number, whose name announces a secret. */
function scalar(secrecy: Secrecy): Rule {
  return (redactor, value) => redactor.value(value, typeof value === 'object' ? undefined : secrecy);
}

function text(maxLength: number): Rule {
  return (redactor, value) =>
    typeof value === 'string' ? within(maxLength, value, redactor.text(value)) : value;
}

/** Ids stay what they are, but for the credentials in those that are URLs. */
const id: Rule = (redactor, value) => {
  if (typeof value !== 'string') return value;
  const result = redactUrlSecrets(value);
  return result === value ? value : redactor.replaced(within(limit.MAX_ID_LENGTH, value, result));
};

/** A redacted text may be longer than what it replaces, and must not outgrow its field. */
function within(maxLength: number, before: string, after: string): string {
  return after !== before && Array.from(after).length > maxLength ? REDACTED : after;
}

/** Applies a rule to each member that is there; the object is copied when the first one changes. */
function members(rules: Readonly<Record<string, Rule>>): Rule {
  const entries = Object.entries(rules);
  return (redactor, value) => {
    if (typeof value !== 'object' || value === null) return value;
    // The rules say which of its members to read.
    const object = value as Record<string, unknown>;
    let copy: Record<string, unknown> | undefined;
    for (const [name, rule] of entries) {
      const member = object[name];
      if (member === undefined || member === null) continue;
      redactor.path.push(name);
      const result = rule(redactor, member);
      redactor.path.pop();
      if (result === member) continue;
      copy ??= { ...object };
      copy[name] = result;
    }
    return copy ?? object;
  };
}

const party = members({ id, name: text(limit.MAX_NAME_LENGTH), on_behalf_of: members({ id }) });

const around = members({
  actor: party,
  target: party,
  related_targets: (redactor, value) =>
    Array.isArray(value) ? redactor.elements(value, (element) => party(redactor, element)) : value,
  reason: text(limit.MAX_REASON_LENGTH),
  context: members({ request_id: id, session_id: id, user_agent: text(limit.MAX_USER_AGENT_LENGTH) }),
  metadata: json,
  source_id: id,
});

const values = members({ old_value: json, new_value: json });

function namedValues(secrecy: Secrecy): Rule {
  return members({ old_value: scalar(secrecy), new_value: scalar(secrecy) });
}

/**
 * An event about one setting names it in its target or metadata and holds its value at the top:
 * `{target: {type: "setting", id: "smtp_password"}, old_value: …, new_value: …}`.
 */
function secrecyOfValues({ target, metadata }: AuditEventInput): Secrecy | undefined {
  const byTarget = typeof target.id === 'string' ? secrecyOfName(target.id) : undefined;
  return byTarget ?? (metadata ? secrecyNamedBy(metadata) : undefined);
}
