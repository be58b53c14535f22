import type { IncomingHttpHeaders } from 'node:http';
import type { IsolationLevel, TransactionOptions } from './engine.ts';
import { InvalidRequest } from './invalid-request.ts';

const isolationLevels: ReadonlySet<string> = new Set<IsolationLevel>([
  'ReadUncommitted',
  'ReadCommitted',
  'RepeatableRead',
  'Serializable',
]);

/** What the headers of a request ask for. Flags count only if they are exactly `true`. */
export interface RequestOptions {
  /** Rows hold Postgres' text instead of JSON values. */
  rawText: boolean;
  /** Rows are arrays instead of objects; a query may say otherwise for itself. */
  arrayMode: boolean;
  /** Counts for a batch only. */
  transaction: TransactionOptions;
}

/** @throws InvalidRequest for an isolation level that does not exist */
export function parseRequestHeaders(headers: IncomingHttpHeaders): RequestOptions {
  return {
    rawText: headers['neon-raw-text-output'] === 'true',
    arrayMode: headers['neon-array-mode'] === 'true',
    transaction: {
      isolation: parseIsolationLevel(headers['neon-batch-isolation-level']),
      readOnly: headers['neon-batch-read-only'] === 'true',
      deferrable: headers['neon-batch-deferrable'] === 'true',
    },
  };
}

function parseIsolationLevel(header: string | string[] | undefined): IsolationLevel | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !isolationLevels.has(header)) {
    throw new InvalidRequest('invalid isolation level');
  }
  // Sound: the set holds nothing but isolation levels.
  return header as IsolationLevel;
}
