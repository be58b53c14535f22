import { checkDefinition } from './catalogue-definition.ts';
import type { Flaw } from './flaw.ts';
import { ACTION_PATTERN, type JsonObject } from './kinds.ts';
import { MAX_ACTION_LENGTH, MAX_TYPE_LENGTH } from './limits.ts';
import { metadataFlaws, type MetadataOf, type MetadataRule } from './metadata-rule.ts';
import { unknownTerms, type Nearest, type Terms } from './terms.ts';
import { VOCABULARIES, type VocabularyName } from './vocabularies.ts';

/** One action of a team's own. */
export interface ActionRule {
  /** the types of its target; any of the catalogue unless given */
  target?: string | readonly string[];
  /** the members of its metadata, or a Standard Schema of it; anything unless given */
  metadata?: MetadataRule;
  /** what it means, for whoever reads the log; at most 512 characters */
  description?: string;
}

export interface CatalogueDefinition {
  /** built-in vocabularies that it takes in */
  vocabularies?: readonly VocabularyName[];
  actions?: Readonly<Record<string, ActionRule>>;
  /** types of targets beside those that actions name */
  targetTypes?: readonly string[];
}

type BuiltIn<D> = D extends { vocabularies: readonly (infer V extends VocabularyName)[] }
  ? (typeof VOCABULARIES)[V]
  : never;
type OwnActions<D> = D extends { actions: infer A extends Readonly<Record<string, ActionRule>> } ? A : {};
type Listed<T> = T extends readonly (infer Name)[] ? Name : T;
type NamedBy<A> = { [K in keyof A]: A[K] extends { target: infer T } ? Listed<T> : never }[keyof A];
type ListedTypes<D> = D extends { targetTypes: readonly (infer T)[] } ? T : never;

/** The names of a catalogue's actions. */
export type ActionOf<D> = BuiltIn<D>['actions'][number] | (keyof OwnActions<D> & string);
/** The names of a catalogue's target types. */
export type TargetTypeOf<D> =
  | BuiltIn<D>['target_types'][number]
  | (NamedBy<OwnActions<D>> & string)
  | (ListedTypes<D> & string);

interface Target<Type> {
  type: Type;
  id?: string | null | undefined;
  name?: string | null | undefined;
}

type Metadata<R> = R extends { metadata: infer M extends MetadataRule }
  ? Record<never, never> extends MetadataOf<M>
    ? { metadata?: MetadataOf<M> | null | undefined }
    : { metadata: MetadataOf<M> }
  : { metadata?: JsonObject | null | undefined };

/** What a catalogue says of an event: its action, the target types and the metadata of that action. */
export type EventOf<D> =
  | {
      [K in keyof OwnActions<D> & string]: {
        action: K;
        target: Target<OwnActions<D>[K] extends { target: infer T } ? Listed<T> & string : TargetTypeOf<D>>;
      } & Metadata<OwnActions<D>[K]>;
    }[keyof OwnActions<D> & string]
  | (BuiltIn<D> extends never
      ? never
      : {
          // A rule of its own for such a name takes its place.
          action: Exclude<BuiltIn<D>['actions'][number], keyof OwnActions<D>>;
          target: Target<TargetTypeOf<D>>;
          metadata?: JsonObject | null | undefined;
        });

/** What is checked of an event. */
interface Checked {
  action: string;
  target: { type: string };
  related_targets?: readonly { type: string }[] | null | undefined;
  metadata?: JsonObject | null | undefined;
}

/** The actions of a team, for its code, its Worker and `daybook catalogue push`. */
export interface Catalogue<D = CatalogueDefinition> {
  readonly definition: D;
  readonly terms: Terms;
  /**
   * What is wrong with an event by the catalogue, with the nearest names.
   * @param nearest what the events of one request share, so that looking for names costs it little
   */
  check(event: Checked, nearest?: Nearest): Flaw[];
}

/**
 * Defines the events of a team: a union of types for its code, and the same check at run time.
 * @throws TypeError for a name that no event can have, and for what is not as its type has it
 */
export function defineCatalogue<const D extends CatalogueDefinition>(definition: D): Catalogue<D> {
  checkDefinition(definition);
  const rules = new Map(Object.entries(definition.actions ?? {}));
  const builtIn = (definition.vocabularies ?? []).map((name) => VOCABULARIES[name]);
  const terms = {
    actions: new Set([...builtIn.flatMap(({ actions }) => actions), ...rules.keys()]),
    targetTypes: new Set([
      ...builtIn.flatMap(({ target_types: types }) => types),
      ...(definition.targetTypes ?? []),
      ...Array.from(rules.values(), typesOf).flat(),
    ]),
  };
  const bad = [...terms.actions].find(
    (action) => action.length > MAX_ACTION_LENGTH || !ACTION_PATTERN.test(action),
  );
  if (bad !== undefined)
    throw new TypeError(
      `"${bad}" cannot be an action: use letters and digits, in parts separated by one of . _ : -`,
    );
  if ([...terms.targetTypes].some((type) => !isTargetType(type)))
    throw new TypeError(`a target type has 1 to ${MAX_TYPE_LENGTH} characters, none of them NUL`);

  function check({ action, target, related_targets: related, metadata }: Checked, nearest?: Nearest): Flaw[] {
    const flaws = unknownTerms(
      { action, targetTypes: [target.type, ...(related ?? []).map(({ type }) => type)] },
      terms,
      'catalogue',
      nearest,
    );
    const rule = rules.get(action);
    if (rule === undefined) return flaws;
    const types = typesOf(rule);
    if (flaws.length === 0 && types.length > 0 && !types.includes(target.type)) {
      const detail = `The catalogue has this action with a target of type ${types.join(' or ')}.`;
      flaws.push({ pointer: '/target/type', code: 'invalid_value', detail });
    }
    if (rule.metadata !== undefined) flaws.push(...metadataFlaws(metadata ?? {}, rule.metadata));
    return flaws;
  }

  return { definition, terms, check };
}

function isTargetType(text: string): boolean {
  const { length } = Array.from(text);
  return length > 0 && length <= MAX_TYPE_LENGTH && !text.includes('\0') && text.isWellFormed();
}

function typesOf({ target }: ActionRule): readonly string[] {
  return target === undefined ? [] : typeof target === 'string' ? [target] : target;
}
