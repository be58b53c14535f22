import * as z from 'zod';
import { call, READ_LIMIT } from '../db/call.ts';
import type { Sql } from '../db/client.ts';
import { isId } from '../events/id.ts';
import { isWorkspaceId } from '../events/workspace-id.ts';
import { databaseDown } from '../http/database-down.ts';
import { ProblemError } from '../http/problem.ts';
import { readLetter, type LetterView } from './letter-view.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

const page = z.object({ letters: z.array(z.unknown()), has_more: z.boolean() });

export interface LetterPage {
  data: LetterView[];
  has_more: boolean;
  next_cursor: string | null;
}

export interface LetterQuery {
  workspaceId: string | undefined;
  cursor: string | undefined;
  limit: number;
}

/** @throws ProblemError for a query that is not valid */
export function readLetterQuery(asked: {
  workspace_id?: string;
  limit?: string;
  cursor?: string;
}): LetterQuery {
  const { workspace_id: workspaceId, limit = String(DEFAULT_LIMIT), cursor } = asked;
  if (cursor !== undefined && !isId(cursor)) {
    throw new ProblemError({ code: 'invalid_cursor', detail: 'Use next_cursor of the page before.' });
  }
  if (workspaceId !== undefined && !isWorkspaceId(workspaceId)) {
    throw new ProblemError({
      code: 'invalid_query',
      detail: 'There is no workspace with this workspace_id.',
    });
  }
  if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > MAX_LIMIT) {
    throw new ProblemError({ code: 'invalid_query', detail: `limit must be 1 to ${MAX_LIMIT}.` });
  }
  return { workspaceId, cursor, limit: Number(limit) };
}

/**
 * One page of dead letters, newest first, of one workspace or of all.
 * @throws ProblemError (503) when the database fails
 */
export async function listDeadLetters(sql: Sql, query: LetterQuery): Promise<LetterPage> {
  const { workspaceId, cursor, limit } = query;
  const answer = await call<unknown>(
    sql,
    'SELECT audit.list_dead_letters($1, $2, $3) AS answer',
    [workspaceId ?? null, cursor ?? null, limit],
    AbortSignal.timeout(READ_LIMIT),
  );
  if (!answer.ok) throw databaseDown('dead_letters_not_listed', answer.failure);
  const { letters: found, has_more: hasMore } = page.parse(answer.value);
  const data = found.map(readLetter);
  const last = data.at(-1);
  return { data, has_more: hasMore, next_cursor: hasMore && last !== undefined ? last.id : null };
}
