import * as z from 'zod';
import { call, READ_LIMIT } from '../db/call.ts';
import type { Sql } from '../db/client.ts';
import { databaseTime } from '../db/time.ts';
import { VOCABULARY_NAMES } from '../events/vocabularies.ts';
import { isWorkspaceId } from '../events/workspace-id.ts';
import { databaseDown } from '../http/database-down.ts';

const changes = {
  name: z
    .string('Send a string.')
    .max(255, 'A name has at most 255 characters.')
    .refine(isStorable, 'A name has no NUL and no lone surrogate.')
    .optional(),
  mode: z.enum(['open', 'strict'], 'Send one of: open, strict.').optional(),
  vocabularies: z
    .array(z.enum(VOCABULARY_NAMES, `Send one of: ${VOCABULARY_NAMES.join(', ')}.`), 'Send an array.')
    .max(VOCABULARY_NAMES.length, 'There are no more vocabularies than that.')
    .optional(),
};

/** What may be changed of a workspace. */
export const workspaceChanges = z.strictObject(changes, 'Send a JSON object.');
export type WorkspaceChanges = z.infer<typeof workspaceChanges>;

export const newWorkspace = z.strictObject(
  {
    id: z
      .string('Send the id of the workspace, a string.')
      .refine(
        (id) => isWorkspaceId(id) && isStorable(id),
        'An id has 1 to 128 characters, none of them NUL or a lone surrogate; * means every workspace.',
      ),
    ...changes,
  },
  'Send a JSON object.',
);

export const workspaceView = z.object({
  id: z.string(),
  name: z.string(),
  mode: z.enum(['open', 'strict']),
  vocabularies: z.array(z.string()),
  created_at: databaseTime,
});
export type WorkspaceView = z.infer<typeof workspaceView>;

const page = z.object({ workspaces: z.array(workspaceView), has_more: z.boolean() });
const put = z.object({ created: z.boolean(), workspace: workspaceView, before: workspaceView.nullable() });
type PutWorkspace = z.infer<typeof put>;

export interface WorkspacePage {
  data: WorkspaceView[];
  has_more: boolean;
  /** the id after which the next page begins */
  next_cursor: string | null;
}

/**
 * @param query.among the only ones to be listed
 * @throws ProblemError (503) when the database fails, as all of these
 */
export async function listWorkspaces(
  sql: Sql,
  query: { after: string | undefined; limit: number; among: readonly string[] | undefined },
): Promise<WorkspacePage> {
  const { after, limit, among } = query;
  const answer = page.parse(
    await ask(sql, 'SELECT audit.list_workspaces($1, $2, $3::text[]) AS answer', [
      after ?? null,
      limit,
      among ?? null,
    ]),
  );
  const last = answer.workspaces.at(-1);
  const next = answer.has_more && last !== undefined ? last.id : null;
  return { data: answer.workspaces, has_more: answer.has_more, next_cursor: next };
}

/** @returns nothing where there is no such workspace */
export async function getWorkspace(sql: Sql, id: string): Promise<WorkspaceView | undefined> {
  const answer = await ask(sql, 'SELECT audit.workspace($1) AS answer', [id]);
  return answer === null ? undefined : workspaceView.parse(answer);
}

/** Makes a workspace, or changes one. */
export async function putWorkspace(sql: Sql, id: string, changes: WorkspaceChanges): Promise<PutWorkspace> {
  const query = 'SELECT audit.put_workspace($1, $2::jsonb) AS answer';
  return put.parse(await ask(sql, query, [id, JSON.stringify(changes)]));
}

/** Of a workspace what may be changed, for the audit event of a change. */
export function stateOf(
  workspace: WorkspaceView | null,
): Pick<WorkspaceView, 'name' | 'mode' | 'vocabularies'> | null {
  if (workspace === null) return null;
  const { name, mode, vocabularies } = workspace;
  return { name, mode, vocabularies };
}

async function ask(sql: Sql, query: string, parameters: unknown[]): Promise<unknown> {
  const answer = await call<unknown>(sql, query, parameters, AbortSignal.timeout(READ_LIMIT));
  if (answer.ok) return answer.value;
  throw databaseDown('workspaces_failed', answer.failure);
}

/** Whether Postgres takes a text, and gives back the same. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
