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
/** Names of a request that are compared with all known ones, which costs: what is beyond gets the general hint. */
const MAX_COMPARED = 20;
const OPENING = { workspace: 'The workspace is strict, and', catalogue: 'The catalogue' };
const WHERE_ALL_ARE = { workspace: 'GET /v1/actions lists', catalogue: 'its definition has' };

export function termsOf({ action, target, related_targets: related }: AuditEventInput): EventTerms {
  const targetTypes = [target.type];
  for (const { type } of related ?? []) targetTypes.push(type);
  return { action, targetTypes };
}

/** Where the names nearest to an unknown one are looked for. An interface: the package declares it more than once. */
export interface Nearest {
  to(name: string, known: ReadonlySet<string>): string[];
}

/** The names nearest to the unknown ones of one request, whose events mostly share them: looked for once each, and for few. */
export class NearestTerms implements Nearest {
  readonly #found = new Map<ReadonlySet<string>, Map<string, string[]>>();
  #compared = 0;

  to(name: string, known: ReadonlySet<string>): string[] {
    const found = this.#found.get(known) ?? new Map<string, string[]>();
    const before = found.get(name);
    if (before !== undefined || this.#compared >= MAX_COMPARED) return before ?? [];
    this.#compared += 1;
    const near = nearestNames(name, known).slice(0, MAX_SHOWN);
    this.#found.set(known, found.set(name, near));
    return near;
  }
}

export function takesTerms(sent: EventTerms, { actions, targetTypes }: Terms): boolean {
  return actions.has(sent.action) && sent.targetTypes.every((type) => targetTypes.has(type));
}

/** What an event has that a strict workspace, or a catalogue, does not take, with the nearest names that it does. */
export function unknownTerms(
  sent: EventTerms,
  { actions, targetTypes }: Terms,
  taker: 'workspace' | 'catalogue' = 'workspace',
  nearest: Nearest = new NearestTerms(),
): Flaw[] {
  const flaws: Flaw[] = [];
  if (!actions.has(sent.action)) {
    const near = nearest.to(sent.action, actions);
    flaws.push(unknown('/action', 'unknown_action', 'action', near, actions.size, taker));
  }
  for (const [index, type] of sent.targetTypes.entries()) {
    if (targetTypes.has(type)) continue;
    const pointer = index === 0 ? '/target/type' : `/related_targets/${index - 1}/type`;
    const near = nearest.to(type, targetTypes);
    flaws.push(unknown(pointer, 'unknown_target_type', 'target type', near, targetTypes.size, taker));
  }
  return flaws;
}

function unknown(
  pointer: string,
  code: FlawCode,
  kind: string,
  near: readonly string[],
  count: number,
  taker: keyof typeof OPENING,
): Flaw {
  const hint =
    near.length > 0
      ? `did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`
      : `${WHERE_ALL_ARE[taker]} the ${count} that it takes.`;
  return { pointer, code, detail: `${OPENING[taker]} does not take this ${kind}: ${hint}` };
}
