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
const OPENING = { workspace: 'The workspace is strict, and', catalogue: 'The catalogue' };
const WHERE_ALL_ARE = { workspace: 'GET /v1/actions lists', catalogue: 'its definition has' };

export function termsOf({ action, target, related_targets: related }: AuditEventInput): EventTerms {
  const targetTypes = [target.type];
  for (const { type } of related ?? []) targetTypes.push(type);
  return { action, targetTypes };
}

/** What an event has that a strict workspace, or a catalogue, does not take, with the nearest names that it does. */
export function unknownTerms(
  sent: EventTerms,
  { actions, targetTypes }: Terms,
  taker: 'workspace' | 'catalogue' = 'workspace',
): Flaw[] {
  const flaws: Flaw[] = [];
  if (!actions.has(sent.action)) {
    flaws.push(unknown('/action', 'unknown_action', 'action', sent.action, actions, taker));
  }
  for (const [index, type] of sent.targetTypes.entries()) {
    if (targetTypes.has(type)) continue;
    const pointer = index === 0 ? '/target/type' : `/related_targets/${index - 1}/type`;
    flaws.push(unknown(pointer, 'unknown_target_type', 'target type', type, targetTypes, taker));
  }
  return flaws;
}

function unknown(
  pointer: string,
  code: FlawCode,
  kind: string,
  sent: string,
  known: ReadonlySet<string>,
  taker: keyof typeof OPENING,
): Flaw {
  const near = nearestNames(sent, known).slice(0, MAX_SHOWN);
  const hint =
    near.length > 0
      ? `did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`
      : `${WHERE_ALL_ARE[taker]} the ${known.size} that it takes.`;
  return { pointer, code, detail: `${OPENING[taker]} does not take this ${kind}: ${hint}` };
}
