import { ProblemError } from './problem.ts';

/** The 503 for a failure of the database, which goes into the log. @param event its name there */
export function databaseDown(
  event: string,
  { kind, sqlstate }: { kind: string; sqlstate: string | null },
): ProblemError {
  console.error(JSON.stringify({ event, kind, sqlstate }));
  return new ProblemError({
    code: 'unavailable',
    detail: 'The database does not answer. Try again.',
    retryAfter: 10,
  });
}
