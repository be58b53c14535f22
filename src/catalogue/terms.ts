import * as z from 'zod';
import { call, READ_LIMIT } from '../db/call.ts';
import type { Sql } from '../db/client.ts';
import { ACTION_PATTERN } from '../events/kinds.ts';
import { MAX_ACTION_LENGTH, MAX_TYPE_LENGTH } from '../events/limits.ts';
import { databaseDown } from '../http/database-down.ts';
import { ProblemError } from '../http/problem.ts';
import { isStorable, workspaceView } from './workspaces.ts';

/** Terms that a workspace may have of its own; the database has the same limit. */
const MAX_TERMS = 1000;

const description = z
  .string('Send a string.')
  .max(512, 'A description has at most 512 characters.')
  .refine(isStorable, 'A description has no NUL and no lone surrogate.');

function terms(what: string, isName: (text: string) => boolean) {
  const message = `Send ${what}, or an object with such a name and a description.`;
  const name = z.string(message).refine(isName, message);
  const term = z.union([name, z.strictObject({ name, description: description.optional() })], message);
  return z
    .array(term, 'Send an array.')
    .max(MAX_TERMS, `A workspace has at most ${MAX_TERMS} terms of its own.`)
    .default([]);
}

/** A workspace's own additions, as they are sent. */
export const ownTerms = z.strictObject(
  {
    actions: terms(
      `an action of at most ${MAX_ACTION_LENGTH} letters and digits, in parts separated by one of . _ : - and beginning with a letter`,
      (text) => text.length <= MAX_ACTION_LENGTH && ACTION_PATTERN.test(text),
    ),
    target_types: terms(
      `a target type of 1 to ${MAX_TYPE_LENGTH} characters`,
      (text) => text !== '' && Array.from(text).length <= MAX_TYPE_LENGTH && isStorable(text),
    ),
  },
  'Send a JSON object.',
);
export type OwnTerms = z.infer<typeof ownTerms>;

/** As `audit.catalogue` answers. */
export const storedCatalogue = z
  .object({
    workspace: workspaceView,
    terms: z.array(
      z.object({
        kind: z.enum(['action', 'target_type']),
        name: z.string(),
        vocabulary: z.string().nullable(),
        description: z.string(),
      }),
    ),
  })
  .nullable();
type StoredTerm = NonNullable<z.infer<typeof storedCatalogue>>['terms'][number];

/** An action or target type that a strict workspace takes. */
const termView = z.object({
  name: z.string(),
  /** the built-in vocabularies that have it */
  vocabularies: z.array(z.string()),
  /** whether it is an addition of the workspace's own */
  own: z.boolean(),
  description: z.string(),
});
type TermView = z.infer<typeof termView>;

export const catalogueView = z.object({
  workspace_id: z.string(),
  mode: z.enum(['open', 'strict']),
  vocabularies: z.array(z.string()),
  actions: z.array(termView),
  target_types: z.array(termView),
});
export type CatalogueView = z.infer<typeof catalogueView>;

/** What a workspace takes, or would if it were strict. @throws ProblemError (503) when the database fails */
export async function getCatalogue(sql: Sql, workspaceId: string): Promise<CatalogueView> {
  const answer = await call<unknown>(
    sql,
    'SELECT audit.catalogue($1) AS answer',
    [workspaceId],
    AbortSignal.timeout(READ_LIMIT),
  );
  if (!answer.ok) throw databaseDown('catalogue_failed', answer.failure);
  return catalogueViewOf(workspaceId, storedCatalogue.parse(answer.value));
}

/** @param found as `audit.catalogue` answers; null where there is no such workspace */
export function catalogueViewOf(workspaceId: string, found: z.infer<typeof storedCatalogue>): CatalogueView {
  const of = (kind: StoredTerm['kind']) => viewOf((found?.terms ?? []).filter((term) => term.kind === kind));
  return {
    workspace_id: workspaceId,
    mode: found?.workspace.mode ?? 'open',
    vocabularies: found?.workspace.vocabularies ?? [],
    actions: of('action'),
    target_types: of('target_type'),
  };
}

const putTermsAnswer = z.object({
  /** whether anything was: a description too, or that the workspace was made */
  changed: z.boolean(),
  added: z.number(),
  removed: z.number(),
  removed_terms: z.array(z.object({ kind: z.enum(['action', 'target_type']), name: z.string() })),
});
type PutTerms = z.infer<typeof putTermsAnswer>;

/** Adds to a workspace's own terms, or puts these in their place. @throws ProblemError (422, 503) */
export async function putTerms(
  sql: Sql,
  workspaceId: string,
  terms: OwnTerms,
  replace: boolean,
): Promise<PutTerms> {
  const answer = await call<unknown>(
    sql,
    'SELECT audit.put_terms($1, $2::jsonb, $3) AS answer',
    [workspaceId, JSON.stringify(termRows(terms)), replace],
    AbortSignal.timeout(READ_LIMIT),
  );
  if (answer.ok) return putTermsAnswer.parse(answer.value);
  const { failure } = answer;
  if (failure.kind === 'refused' && failure.sqlstate === '54000') {
    const detail = `A workspace has at most ${MAX_TERMS} actions and target types of its own. Nothing was changed.`;
    throw new ProblemError({ code: 'invalid_body', detail });
  }
  throw databaseDown('catalogue_failed', failure);
}

/** As `audit.put_terms` takes them. */
export function termRows({ actions, target_types: targetTypes }: OwnTerms) {
  return [...actions.map(rowOf('action')), ...targetTypes.map(rowOf('target_type'))];
}

function rowOf(kind: StoredTerm['kind']) {
  return (term: OwnTerms['actions'][number]) =>
    typeof term === 'string'
      ? { kind, name: term }
      : { kind, name: term.name, description: term.description };
}

function viewOf(terms: readonly StoredTerm[]): TermView[] {
  const byName = Map.groupBy(terms, ({ name }) => name);
  return Array.from(byName, ([name, same]) => ({
    name,
    vocabularies: same.flatMap(({ vocabulary }) => (vocabulary === null ? [] : [vocabulary])),
    own: same.some(({ vocabulary }) => vocabulary === null),
    description: same.find(({ description }) => description !== '')?.description ?? '',
  }));
}

/** How many names of each kind the audit event of a change tells, before and after; an event has 64 KiB. */
const MAX_TOLD = 30;

/** A change of terms, as the audit event tells it. */
export function summaryOf({ actions, target_types: targetTypes }: OwnTerms, replace: boolean): object {
  const nameOf = (term: OwnTerms['actions'][number]) => (typeof term === 'string' ? term : term.name);
  return { replaces: replace, ...told(actions.map(nameOf), targetTypes.map(nameOf)) };
}

/** What a change took away, as the audit event tells it; nothing where it took nothing. */
export function removedBy(terms: readonly Pick<StoredTerm, 'kind' | 'name'>[]): object | null {
  const names = (kind: StoredTerm['kind']) =>
    terms.flatMap((term) => (term.kind === kind ? [term.name] : []));
  return terms.length === 0 ? null : told(names('action'), names('target_type'));
}

function told(actions: readonly string[], targetTypes: readonly string[]): object {
  return {
    action_count: actions.length,
    actions: actions.slice(0, MAX_TOLD),
    target_type_count: targetTypes.length,
    target_types: targetTypes.slice(0, MAX_TOLD),
  };
}
