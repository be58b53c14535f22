import * as z from 'zod';
import { call, READ_LIMIT } from '../db/call.ts';
import type { Sql } from '../db/client.ts';
import { databaseTime } from '../db/time.ts';
import { isId } from '../events/id.ts';
import { databaseDown } from '../http/database-down.ts';
import { ProblemError } from '../http/problem.ts';

const outcome = z.discriminatedUnion('result', [
  z.object({
    result: z.enum(['committed', 'duplicate', 'conflict']),
    workspace_id: z.string(),
    event_id: z.string(),
    created_at: databaseTime,
    leaf_hash: z.string(),
  }),
  z.object({ result: z.literal('unreadable') }),
]);

export interface Retried {
  /** of the letter, which is gone now */
  id: string;
  workspace_id: string;
  event_id: string;
  created_at: string;
  result: 'committed' | 'duplicate';
  /** of the stored event, lower-case hex */
  leaf_hash: string;
}

/**
 * Tries once more to store the event of a dead letter, and removes the letter once it is stored.
 * @param onWorkspace told whose event it is, where that is known, before the outcome
 * @throws ProblemError when there is no such letter (404), the stored event of its id is another (409), the database refuses
 * it again (422) or fails (503): the letter stays
 */
export async function retryDeadLetter(
  sql: Sql,
  id: string,
  onWorkspace: (workspaceId: string) => void,
): Promise<Retried> {
  const answer = isId(id)
    ? await call<unknown>(
        sql,
        'SELECT audit.retry_dead_letter($1) AS answer',
        [id],
        AbortSignal.timeout(READ_LIMIT),
      )
    : { ok: true as const, value: null };
  if (!answer.ok) {
    if (answer.failure.kind === 'no_partition') {
      throw new ProblemError({
        code: 'unavailable',
        detail:
          'A partition for the time of this event is missing: POST /v1/retention/run. The letter stays.',
        retryAfter: 60,
      });
    }
    if (answer.failure.kind !== 'refused') throw databaseDown('dead_letter_not_retried', answer.failure);
    const { sqlstate, constraint } = answer.failure;
    const broken = constraint === null ? '' : `, constraint ${constraint}`;
    const detail = `The database still refuses the event (SQLSTATE ${sqlstate}${broken}). The letter stays.`;
    throw new ProblemError({ code: 'refused_event', detail });
  }
  if (answer.value === null) {
    throw new ProblemError({
      code: 'not_found',
      detail: 'There is no dead letter with this id. It may have been stored by an earlier try.',
    });
  }
  const tried = outcome.parse(answer.value);
  if (tried.result !== 'unreadable') onWorkspace(tried.workspace_id);
  switch (tried.result) {
    case 'unreadable':
      throw new ProblemError({
        code: 'refused_event',
        detail: 'This letter cannot be read as an event. It stays until it is 30 days old.',
      });
    case 'conflict':
      throw new ProblemError({
        code: 'conflict',
        detail:
          'Another event with this id is stored, and stays as it is. Send the content under a new id; the letter stays.',
        members: { workspace_id: tried.workspace_id, event_id: tried.event_id, leaf_hash: tried.leaf_hash },
      });
    default:
      return { id, ...tried, result: tried.result };
  }
}
