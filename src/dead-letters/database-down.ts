import type { DatabaseFailure } from '../db/failure.ts';
import { ProblemError } from '../http/problem.ts';

/** The 503 for a failure of the database, which goes into the log. */
export function databaseDown(event: string, { kind, sqlstate }: DatabaseFailure): ProblemError {
  console.error(JSON.stringify({ event, kind, sqlstate }));
  return new ProblemError({
    code: 'unavailable',
    detail: 'The database does not answer. Try again.',
    retryAfter: 10,
  });
}
