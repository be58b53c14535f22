import { NeonDbError } from '@neondatabase/serverless';

/** What went wrong with a statement, as far as a caller must act on it. */
export type DatabaseFailure =
  /** Nothing is wrong with the data: try again. The outcome of a lost answer is unknown. */
  | { kind: 'unavailable'; sqlstate: string | null }
  /** Nothing is wrong with the data, and no partition holds some of it yet. */
  | { kind: 'no_partition'; sqlstate: string }
  /** This data will never be stored. */
  | { kind: 'refused'; sqlstate: string; constraint: string | null; detail: string | null };

/**
 * Classes of SQLSTATE that say nothing of the data: connections, transactions, logins, names that are missing or not granted,
 * resources, locks, shutdowns, and faults within. Whatever else a statement raises it raises for its rows: broken
 * constraints, values, limits, and what triggers of the team's raise, under codes of their own. `audit.append_each` has the same list.
 */
const NOT_THE_DATA = /^(08|0A|25|28|2D|3B|3D|3F|40|42|53|55|57|58|72|F0|HV|XX)/;

/** check_violation; without a constraint's name it means that no partition holds the row's time. */
const CHECK_VIOLATION = '23514';

/**
 * Sorts an error of the driver or of drizzle. Everything that is not about the data counts as unavailable: a wrong
 * password or a missing function is a fault of the deployment, and events must survive it.
 */
export function toFailure(error: unknown): DatabaseFailure {
  const cause = unwrap(error);
  if (cause instanceof NeonDbError) {
    const sqlstate = cause.code ?? null;
    const constraint = cause.constraint ?? null;
    if (sqlstate === CHECK_VIOLATION && constraint === null) return { kind: 'no_partition', sqlstate };
    if (sqlstate?.length === 5 && !NOT_THE_DATA.test(sqlstate)) {
      return { kind: 'refused', sqlstate, constraint, detail: cause.detail ?? null };
    }
    // The driver reports an answer that is no Postgres error by its status alone.
    if (sqlstate === null && cause.message.startsWith('Server error (HTTP status 413)')) {
      return { kind: 'refused', sqlstate: '54000', constraint: null, detail: null };
    }
    return { kind: 'unavailable', sqlstate };
  }
  const name = cause instanceof Error ? cause.name : 'unknown';
  if (name !== 'AbortError' && name !== 'TimeoutError') {
    // An answer that is no answer of Neon's, or a fault of ours. Its message may hold anything: it is not logged.
    console.error(JSON.stringify({ event: 'unexpected_database_error', error: name }));
  }
  return { kind: 'unavailable', sqlstate: null };
}

/** Drizzle wraps the driver's error in one whose message holds SQL and parameters. */
function unwrap(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error && !(error instanceof NeonDbError)
    ? error.cause
    : error;
}
