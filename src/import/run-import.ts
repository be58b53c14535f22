import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Sql } from '../db/client.ts';
import { formatTime } from '../events/time.ts';
import { appendBy, type AppendRows } from './append-rows.ts';
import { ImportError } from './import-error.ts';
import { Partitions } from './partitions.ts';
import { countPage, type SettledPage } from './count-page.ts';
import { RejectsFile } from './rejects-file.ts';
import { emptyReport, type Report, type Retention } from './report.ts';
import { lockRejects } from './lock-file.ts';
import type { Ordinals } from './ordinals.ts';
import { markOf, prepare, remainingPages } from './remaining-pages.ts';
import type { ColumnOf } from './reason.ts';
import type { Source, SourceRow } from './source.ts';
import { dropState, readState, writeState } from './state-file.ts';
import { storeEvents, type Item, type Stored } from './store-events.ts';
import { StrictWorkspaces } from './strict-workspaces.ts';
import type { PreparedRow } from './prepare-row.ts';
import type { RowReader } from './table-rows.ts';
import { Workspaces } from './workspaces.ts';

/** Pages whose events are on their way to the database at a time. */
const IN_FLIGHT = 3;

export interface Import {
  source: Source;
  read: RowReader;
  columnOf: ColumnOf;
  /** those that the reader counts */
  ordinals: Ordinals;
  /** what decides what becomes of a row, besides the source: an import goes on only with the same */
  settings: unknown;
  /** path of the rejects file; the state is beside it */
  rejects: string;
  /** by the import's own connection unless given */
  append?: AppendRows;
  /** writes nothing to the database */
  dryRun: boolean;
  /** called after each page */
  onProgress(progress: Progress): void;
}

export interface Progress {
  /** of the source's `total` */
  done: number;
  report: Report;
}

export interface Result {
  report: Report;
  retention: Retention;
  /** rows that an interrupted run had done */
  resumed: number;
}

/** A page of rows and what becomes of them. */
interface Window {
  rows: SourceRow[];
  outcome: Promise<Pick<SettledPage, 'prepared' | 'stored'>>;
}

/**
 * Moves the rows of a source into the log: every row is stored, stored already or in the rejects file. What was done is
 * kept in a state file after each page, from which the same import goes on after its process died.
 * @throws ImportError; the driver's error when the database fails at the start
 */
export async function runImport(sql: Sql, task: Import): Promise<Result> {
  const release = await lockRejects(task.rejects);
  try {
    return await importLocked(sql, task);
  } finally {
    await release();
  }
}

async function importLocked(sql: Sql, task: Import): Promise<Result> {
  const { source, dryRun } = task;
  const statePath = `${task.rejects}.state`;
  const { retention, ipHorizon, target } = await readPolicy(sql);
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([target, source.fingerprint, task.settings]))
    .digest('hex');
  if (dryRun && existsSync(statePath))
    throw new ImportError(
      `An import that was interrupted waits in ${statePath}. Finish it first, or name another --rejects.`,
    );
  const state = await readState(statePath);
  if (state !== undefined && state.fingerprint !== fingerprint)
    throw new ImportError(
      `${statePath} is of another import that was interrupted: another source, mapping, workspace or database. Finish that one, name another --rejects, or delete the file to begin anew.`,
    );

  const rejects = await RejectsFile.open(task.rejects, state?.rejects ?? 0);
  const report = state?.report ?? emptyReport();
  const resumed = report.read;
  const partitions = new Partitions(sql, ipHorizon);
  const workspaces = new Workspaces(sql, dryRun);
  const strict = new StrictWorkspaces(sql, task.columnOf);
  let analysed: Promise<unknown> | undefined;
  const store = async (items: Item[]): Promise<Stored[]> => {
    await workspaces.ensure(new Set(items.map(({ event }) => event.workspaceId)));
    if (dryRun) return items.map(() => ({ result: 'stored' }));
    const stored = await storeEvents(task.append ?? appendBy(sql), partitions, items);
    if (stored.some(({ result }) => result === 'already')) await (analysed ??= analyse(sql));
    return stored;
  };

  const holdAndStore = async (
    page: readonly PreparedRow[],
  ): Promise<Pick<SettledPage, 'prepared' | 'stored'>> => {
    const prepared = await strict.hold(page);
    return { prepared, stored: await store(prepared.filter((row) => row.ok)) };
  };

  const settle = async ({ rows, outcome }: Window): Promise<void> => {
    await rejects.write(countPage(report, { rows, ...(await outcome), fresh: workspaces.fresh }));
    const last = rows.at(-1);
    if (last === undefined) return;
    if (!dryRun && source.canGoOn)
      await writeState(statePath, {
        version: 1,
        fingerprint,
        cursor: [...last.cursor],
        mark: markOf(last),
        without_ids: task.ordinals.size > 0,
        report,
        rejects: rejects.size,
      });
    task.onProgress({ done: last.done, report });
  };

  try {
    const inFlight: Window[] = [];
    for await (const rows of remainingPages(source, state, task.read)) {
      const outcome = holdAndStore(rows.map((row) => prepare(task.read, row)));
      // It is awaited in its turn; an error before must not end the process.
      outcome.catch(() => {});
      inFlight.push({ rows, outcome });
      if (inFlight.length < IN_FLIGHT) continue;
      const [first] = inFlight.splice(0, 1);
      if (first !== undefined) await settle(first);
    }
    for (const window of inFlight) await settle(window);
  } finally {
    await rejects.close();
  }
  if (!dryRun) await dropState(statePath);
  return { report, retention, resumed };
}

/**
 * Partitions that were filled just now have no statistics, and the comparison with what is stored has a bad plan then.
 * Without them it is only slower: a failure is none of the import's.
 * A promise of its own: the driver's runs its query each time that it is awaited.
 */
async function analyse(sql: Sql): Promise<void> {
  await sql.query('ANALYZE audit.events').catch(() => {});
}

/** What the import meets in the database, and what tells this database from another, a copy or branch of it included. */
async function readPolicy(sql: Sql): Promise<{ retention: Retention; ipHorizon: string; target: unknown }> {
  const [row] = await sql.query(
    `SELECT event_retention_months AS months, (extract(epoch FROM now()) * 1000)::float8 AS now,
            (extract(epoch FROM audit.ip_horizon()) * 1000)::float8 AS horizon,
            concat_ws(' ', (SELECT oid FROM pg_database WHERE datname = current_database()),
              (SELECT min(applied_at) FROM audit.schema_migrations), current_setting('neon.timeline_id', true)) AS target
     FROM audit.settings`,
  );
  return {
    retention: { months: Number(row?.['months']), now: Number(row?.['now']) },
    ipHorizon: formatTime(Number(row?.['horizon'])),
    target: row?.['target'],
  };
}
