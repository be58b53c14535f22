import type { Sql } from './client.ts';
import { toFailure, type DatabaseFailure } from './failure.ts';

export type Outcome<T> = { ok: true; value: T } | { ok: false; failure: DatabaseFailure };

/** ms for a call that a person waits for; a little more than the database gives a statement (`statement_timeout` of daybook_app). */
export const READ_LIMIT = 20_000;

/** Calls a function of ours, whose answer is of the type its docstring says. */
export async function call<T>(
  sql: Sql,
  query: string,
  parameters: unknown[],
  signal: AbortSignal,
): Promise<Outcome<T>> {
  try {
    const [row] = await sql.query(query, parameters, { fetchOptions: { signal } });
    return { ok: true, value: (row as { answer: T }).answer };
  } catch (error) {
    return { ok: false, failure: toFailure(error) };
  }
}
