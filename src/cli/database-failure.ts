import type { NeonDbError } from '@neondatabase/serverless';
import type { DatabaseAddress } from '../db/client.ts';
import { FROM_SOURCE, typed } from './typed.ts';

/** undefined_table, undefined_function, undefined_column, invalid_schema_name */
const NOT_THERE = new Set(['42P01', '42883', '42703', '3F000']);

const INSUFFICIENT_PRIVILEGE = '42501';

/** Says in sentences, for the one who runs a command, what the driver's error means and what to do. */
export function describeFailure(error: NeonDbError, { url, localEndpoint }: DatabaseAddress): string {
  if (error.sourceError !== undefined) {
    return localEndpoint === undefined
      ? `${new URL(url).hostname} does not answer (${reason(error.sourceError)}). Check DATABASE_URL; commands speak Neon's HTTP protocol${FROM_SOURCE ? ', or use the database of "npm run dev" with --dev' : ''}.`
      : `Nothing answers at ${localEndpoint}: the database of "npm run dev" is not running. Start "npm run dev" and leave it running.`;
  }
  if (error.code === INSUFFICIENT_PRIVILEGE || new URL(url).username === 'daybook_app')
    return `${databaseSays(error)}. DATABASE_URL must be the owner's connection, of the user that ran the migrations.`;
  if (!NOT_THERE.has(error.code ?? '')) return databaseSays(error);
  return `${databaseSays(error)}. It is not migrated, or not wholly: run "${typed('migrate')}" first. If that has nothing to do, "${typed('doctor')}" names what is missing.`;
}

/** The database's own words. */
export function databaseSays(error: NeonDbError): string {
  if (error.code !== undefined && error.code !== '')
    return `The database says: ${messageOf(error)} (SQLSTATE ${error.code})`;
  // The driver's words may hold a connection string, and so a password.
  const message = messageOf(error);
  return message.includes('://')
    ? 'The driver cannot use this connection string. It looks like postgres://user:password@host/database'
    : `The database says: ${message}`;
}

/** What lies behind `fetch failed`. */
function reason({ cause, message }: Error): string {
  if (!(cause instanceof Error)) return message;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

/** Of an answer that is no error of a statement, the driver takes the JSON as its message. */
function messageOf({ message }: Error): string {
  const json = /^Server error \(HTTP status \d+\): (\{.*\})$/s.exec(message)?.[1];
  if (json === undefined) return message;
  try {
    const answer: unknown = JSON.parse(json);
    return typeof answer === 'object' && answer !== null && 'message' in answer
      ? String(answer.message)
      : message;
  } catch {
    return message;
  }
}
