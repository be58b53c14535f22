import { type Client, DatabaseError } from 'pg';
import type { RunRequest, StatementResult, TransactionOptions } from './engine.ts';
import { ConnectionLost, PostgresError, ResultTooLarge } from './engine-errors.ts';
import { TextQuery } from './text-query.ts';

const isolationLevels = {
  ReadUncommitted: 'READ UNCOMMITTED',
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
} as const;

const canceled = { message: 'canceling statement due to user request', severity: 'ERROR', code: '57014' };

function startTransaction({ isolation, readOnly, deferrable }: TransactionOptions): string {
  const modes = [
    isolation && `ISOLATION LEVEL ${isolationLevels[isolation]}`,
    readOnly && 'READ ONLY',
    deferrable && 'DEFERRABLE',
  ].filter(Boolean);
  return `START TRANSACTION ${modes.join(', ')}`.trimEnd();
}

/**
 * Runs the statements in order on one session and stops at the first error. It leaves an open transaction to
 * the session's reset, which rolls back.
 *
 * @throws PostgresError, ConnectionLost, ResultTooLarge
 */
export async function runStatements(client: Client, request: RunRequest): Promise<StatementResult[]> {
  const { statements, transaction, signal } = request;
  let remaining = request.maxResultBytes ?? Number.POSITIVE_INFINITY;
  const results: StatementResult[] = [];
  try {
    if (transaction) await control(client, startTransaction(transaction));
    for (const statement of statements) {
      // A cancel request that comes between two statements has no effect on either.
      if (signal?.aborted) throw new PostgresError(canceled);
      const query = client.query(new TextQuery(statement, remaining));
      results.push(await query.result);
      remaining -= query.bytes;
    }
    if (transaction) await control(client, 'COMMIT');
  } catch (error) {
    throw asEngineError(error);
  }
  return results;
}

function control(client: Client, query: string): Promise<StatementResult> {
  return client.query(new TextQuery({ query, params: [] })).result;
}

/** Sorts what node-postgres rejects with: an ErrorResponse, or else a connection that is gone. */
function asEngineError(error: unknown): Error {
  if (error instanceof ResultTooLarge || error instanceof PostgresError) return error;
  if (error instanceof DatabaseError) return PostgresError.from(error);
  return new ConnectionLost('connection closed', { cause: error });
}
