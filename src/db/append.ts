import * as z from 'zod';
import { call, type Outcome } from './call.ts';
import type { Sql } from './client.ts';

const notStored = z.object({
  /** place in the batch, from 0 */
  index: z.number(),
  result: z.enum(['duplicate', 'conflict']),
  /** of the stored event, lower-case hex */
  leaf_hash: z.string(),
});

/** An event that `audit.append_rows` did not store, because its workspace has one with this id. */
export type NotStored = z.infer<typeof notStored>;

/** The detail of the error by which `audit.append_rows` refuses an atomic batch; nothing for that of another error. */
export function readNotStored(detail: string | null): NotStored[] | undefined {
  try {
    return z.array(notStored).safeParse(JSON.parse(detail ?? '')).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** An event that `audit.append_each` did not store, and why. */
export type NotStoredAlone =
  | NotStored
  | { index: number; result: 'no_partition' }
  | {
      index: number;
      result: 'refused';
      sqlstate: string;
      constraint: string | null;
      /** a sentence for the operator */
      detail: string;
    };

const SEPARATOR = '\n"\n';

/** The text from which `audit.rows_of` reads rows. */
export function joinRows(rows: readonly string[]): string {
  return rows.join(SEPARATOR);
}

/** The rows that `joinRows` joined: no row holds what stands between them. */
export function splitRows(text: string): string[] {
  return text.split(SEPARATOR);
}

/**
 * Stores a batch in one call, all of it or nothing, each event at most once.
 * @param rows literals of `audit.incoming_event`, as `rowOf` writes them
 * @param options.atomic refuses conflicts too, by a `refused` failure (23505) whose detail is the `NotStored[]` as JSON
 */
export async function append(
  sql: Sql,
  rows: readonly string[],
  options: { atomic: boolean; signal: AbortSignal },
): Promise<Outcome<NotStored[]>> {
  const query = 'SELECT audit.append_rows(audit.rows_of($1), $2) AS answer';
  return call(sql, query, [joinRows(rows), options.atomic], options.signal);
}

/** Stores what can be stored of a batch that `append` refuses, in one call. */
export async function appendEach(
  sql: Sql,
  rows: readonly string[],
  signal: AbortSignal,
): Promise<Outcome<NotStoredAlone[]>> {
  return call(sql, 'SELECT audit.append_each($1) AS answer', [joinRows(rows)], signal);
}
