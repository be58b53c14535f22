import { joinRows } from '../db/append.ts';
import type { Sql } from '../db/client.ts';
import { toFailure } from '../db/failure.ts';
import { makeId } from '../events/id.ts';
import { ownEvent, SYSTEM_WORKSPACE } from '../events/own-event.ts';

export type Trigger = 'cron' | 'operator' | 'cli';

/** One small deed: a partition made, detached or dropped, or rows of a table deleted (`expire`). */
export interface Step {
  task: string;
  /** of `expire`, the table */
  partition: string;
  /** deleted by this run in all; of `expire` only */
  rows?: number;
}

export interface RunSummary {
  run_id: string;
  steps: Step[];
  /** what was due and could not be done now; the next run tries again */
  postponed: (Step & { reason: string })[];
}

/** A lock is waited for 150 ms, this many times, with a pause of about as long in between. */
const ATTEMPTS = 5;
/** ms; dropping takes the file system's time, about 1.4 ms a MB, and must not be cut short by the role's timeout. */
const STEP_LIMIT = 300_000;
/** ms after which a run leaves the rest to the next one. */
const RUN_LIMIT = 600_000;
/** lock_not_available, deadlock_detected, serialization_failure */
const CONTENTION = new Set(['55P03', '40P01', '40001']);
/** Connection exceptions and a server that goes away: no other step will fare better. */
const NO_DATABASE = /^(08|57P)/;

/**
 * Does what retention finds due, each step in a transaction of its own, and records the run. Runs may overlap or die:
 * what is due is asked anew each time, and a step that was done already does nothing.
 * A step that fails does not keep the others from being done.
 * @throws the driver's error when the database cannot be reached
 */
export async function runRetention(sql: Sql, trigger: Trigger): Promise<RunSummary> {
  const startedAt = Date.now();
  const run = makeId(startedAt);
  await sql.query('SELECT audit.begin_retention($1, $2)', [run, trigger]);
  const summary: RunSummary = { run_id: run, steps: [], postponed: [] };

  // Detaching makes something to drop, and expiring leaves the rest of a large table: ask until nothing new is due.
  const seen = new Set<string>();
  for (;;) {
    const due = ((await sql.query('SELECT task, partition FROM audit.due_retention()')) as Step[]).filter(
      (step) => !seen.has(nameOf(step)),
    );
    if (due.length === 0) break;
    for (const step of due) {
      const late = Date.now() - startedAt > RUN_LIMIT;
      const outcome = late ? { postponed: 'the run took too long' } : await doStep(sql, run, step);
      if (step.task !== 'expire' || outcome.done === undefined) seen.add(nameOf(step));
      if (outcome.done !== undefined) note(summary, outcome.done);
      if (outcome.postponed !== undefined) summary.postponed.push({ ...step, reason: outcome.postponed });
    }
  }
  await finish(sql, summary);
  return summary;
}

function nameOf({ task, partition }: Step): string {
  return `${task} ${partition}`;
}

/** As the database does: the rows that a run deletes from a table are one step. */
function note(summary: RunSummary, done: Step): void {
  summary.steps = [...summary.steps.filter((step) => nameOf(step) !== nameOf(done)), done];
}

interface StepOutcome {
  /** the run's step; absent when there was nothing to do, or another run did it */
  done?: Step;
  /** why it has to wait */
  postponed?: string;
}

async function doStep(sql: Sql, run: string, step: Step): Promise<StepOutcome> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      const [, [row]] = (await sql.transaction([
        sql.query(`SELECT set_config('statement_timeout', $1, true)`, [String(STEP_LIMIT)]),
        sql.query('SELECT audit.do_retention($1, $2, $3) AS done', [run, step.task, step.partition]),
      ])) as [unknown, { done: Step | null }[]];
      return row?.done ? { done: row.done } : {};
    } catch (error) {
      const { sqlstate } = toFailure(error);
      if (sqlstate === null || NO_DATABASE.test(sqlstate)) throw error;
      if (!CONTENTION.has(sqlstate)) return { postponed: `the database refused it (SQLSTATE ${sqlstate})` };
      await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 200));
    }
  }
  return { postponed: 'the lock was held' };
}

/** Closes the run and tells of it, and of interrupted ones before it, in audit events whose ids are the runs' own. */
async function finish(sql: Sql, summary: RunSummary): Promise<void> {
  const untold = (await sql.query('SELECT id, steps FROM audit.unreported_retention($1)', [
    summary.run_id,
  ])) as {
    id: string;
    steps: Step[];
  }[];
  const rows = untold.map(({ id, steps }) => {
    const actor = { type: 'system' as const };
    const target = { type: 'retention_run' as const, id };
    return ownEvent(SYSTEM_WORKSPACE, {
      id,
      action: 'retention.enforced',
      actor,
      target,
      metadata: { steps },
    }).row;
  });
  const told = untold.map(({ id }) => id);
  await sql.query('SELECT audit.finish_retention($1, $2::jsonb, audit.rows_of($3), $4::uuid[])', [
    summary.run_id,
    JSON.stringify(summary.postponed),
    joinRows(rows),
    told,
  ]);
}
