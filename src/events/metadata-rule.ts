import { pointerTo, type Flaw } from './flaw.ts';
import type { JsonObject } from './kinds.ts';

/** What one member of metadata may be; with `?` it may be left out. A list is of the texts it may be. */
export type MemberRule = Kind | `${Kind}?` | readonly string[];
const KINDS = ['string', 'number', 'boolean', 'object', 'array', 'json'] as const;
type Kind = (typeof KINDS)[number];

/** The members that metadata may have, and no others. */
export type MetadataShape = Readonly<Record<string, MemberRule>>;

/** A schema of any library that speaks Standard Schema (standardschema.dev, version 1): zod, valibot, arktype. */
export interface StandardSchema<Input = unknown> {
  readonly '~standard': {
    readonly validate: (value: unknown) => unknown;
    readonly types?: { readonly input: Input } | undefined;
  };
}

export type MetadataRule = MetadataShape | StandardSchema;

interface Valued {
  string: string;
  number: number;
  boolean: boolean;
  object: JsonObject;
  array: readonly unknown[];
  json: unknown;
}

type ValueOf<R> = R extends readonly (infer Text)[]
  ? Text
  : R extends `${infer K extends Kind}?`
    ? Valued[K]
    : R extends Kind
      ? Valued[R]
      : never;

type OptionalOf<S> = { [K in keyof S]: S[K] extends `${string}?` ? K : never }[keyof S];

/** The type of the metadata that a rule lets pass. */
export type MetadataOf<R> =
  R extends StandardSchema<infer Input>
    ? Input
    : { [K in Exclude<keyof R, OptionalOf<R>>]: ValueOf<R[K]> } & {
        [K in OptionalOf<R>]?: ValueOf<R[K]> | undefined;
      };

const METADATA = '/metadata';

/** What is wrong with metadata, by its rule. @throws TypeError for a schema that answers asynchronously */
export function metadataFlaws(metadata: JsonObject, rule: MetadataRule): Flaw[] {
  if (isStandard(rule)) return schemaFlaws(metadata, rule);
  // Its own members: `constructor` is no member of every object. JSON drops those that are undefined.
  const sent = new Map(Object.entries(metadata).filter(([, value]) => value !== undefined));
  const flaws = Object.entries(rule).flatMap(([name, member]) => memberFlaws(name, sent.get(name), member));
  for (const name of sent.keys()) {
    if (Object.hasOwn(rule, name)) continue;
    const detail = `The catalogue has no such member: it has ${Object.keys(rule).join(', ')}.`;
    flaws.push({ pointer: pointerTo(METADATA, name), code: 'unknown_field', detail });
  }
  return flaws;
}

function memberFlaws(name: string, value: unknown, rule: MemberRule): Flaw[] {
  const pointer = pointerTo(METADATA, name);
  if (typeof rule !== 'string') {
    if (rule.some((text) => text === value)) return [];
    return [{ pointer, code: 'invalid_value', detail: `Send one of: ${rule.join(', ')}.` }];
  }
  const kind = rule.replace('?', '');
  if (value === undefined) {
    if (rule.endsWith('?')) return [];
    return [{ pointer, code: 'required', detail: `The catalogue asks for this member (${kind}).` }];
  }
  if (kind === 'json' || kindOf(value) === kind) return [];
  return [{ pointer, code: 'wrong_type', detail: `The catalogue asks for a value of type ${kind}.` }];
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}

function isStandard(rule: object): rule is StandardSchema {
  return '~standard' in rule && typeof rule['~standard'] === 'object';
}

/** Checks a rule that no compiler has looked at. @throws TypeError that names what is wrong, and its place */
export function checkMetadataRule(place: string, rule: unknown): void {
  // A schema may be a function: those of arktype are.
  if (typeof rule === 'function' && isStandard(rule)) return;
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule))
    throw new TypeError(`${place} is neither an object of members nor a Standard Schema`);
  if (isStandard(rule)) return;
  const known = new Set<unknown>(KINDS.flatMap((kind) => [kind, `${kind}?`]));
  for (const [name, member] of Object.entries(rule)) {
    if (known.has(member)) continue;
    if (Array.isArray(member) && member.every((text) => typeof text === 'string')) continue;
    throw new TypeError(
      `${place}["${name}"] is ${JSON.stringify(member)}, which is no type. Use one of ${KINDS.join(', ')}, with ? where it may be left out, or a list of texts`,
    );
  }
}

/** The message is left out: libraries put into it what was sent. */
interface Issue {
  path?: readonly (PropertyKey | { key: PropertyKey })[];
}

function schemaFlaws(metadata: JsonObject, schema: StandardSchema): Flaw[] {
  const answer = schema['~standard'].validate(metadata);
  if (answer instanceof Promise)
    throw new TypeError(
      'a schema of the catalogue must answer at once: it is asked in the path of a request',
    );
  // As Standard Schema has it: issues, or a value.
  const { issues = [] } = answer as { issues?: readonly Issue[] };
  return issues.map(({ path = [] }) => ({
    pointer: path.reduce<string>(
      (parent, part) => pointerTo(parent, String(typeof part === 'object' ? part.key : part)),
      METADATA,
    ),
    code: 'invalid_value',
    detail: 'The schema of the catalogue does not take this.',
  }));
}
