import type { AuditEventInput } from './event.ts';
import type { Flaw, FlawCode } from './flaw.ts';
import { nearestNames } from './nearest.ts';

/** The names of an event that a catalogue knows. */
export interface EventTerms {
  action: string;
  /** of the target, and of each related one */
  targetTypes: string[];
}

/** What a strict workspace takes. */
export interface Terms {
  actions: ReadonlySet<string>;
  targetTypes: ReadonlySet<string>;
}

const MAX_SHOWN = 3;

export function termsOf({ action, target, related_targets: related }: AuditEventInput): EventTerms {
  const targetTypes = [target.type];
  for (const { type } of related ?? []) targetTypes.push(type);
  return { action, targetTypes };
}

/** What an event has that its strict workspace does not take, with the nearest names that it does. */
export function unknownTerms(sent: EventTerms, { actions, targetTypes }: Terms): Flaw[] {
  const flaws: Flaw[] = [];
  if (!actions.has(sent.action)) {
    flaws.push(unknown('/action', 'unknown_action', 'action', sent.action, actions));
  }
  for (const [index, type] of sent.targetTypes.entries()) {
    if (targetTypes.has(type)) continue;
    const pointer = index === 0 ? '/target/type' : `/related_targets/${index - 1}/type`;
    flaws.push(unknown(pointer, 'unknown_target_type', 'target type', type, targetTypes));
  }
  return flaws;
}

function unknown(
  pointer: string,
  code: FlawCode,
  kind: string,
  sent: string,
  known: ReadonlySet<string>,
): Flaw {
  const near = nearestNames(sent, known).slice(0, MAX_SHOWN);
  const hint =
    near.length > 0
      ? `did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`
      : `GET /v1/actions lists the ${known.size} that it takes.`;
  return { pointer, code, detail: `The workspace is strict, and does not take this ${kind}: ${hint}` };
}
