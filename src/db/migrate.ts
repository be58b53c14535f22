import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Sql } from './client.ts';

/** One file of `migrations/`. */
export interface Migration {
  /** the file's number, e.g. `0001` */
  version: string;
  /** the file's name without its ending */
  name: string;
  text: string;
  /** SHA-256 of the text, lower-case hex */
  checksum: string;
}

export interface MigrationState {
  version: string;
  name: string;
  state: 'applied' | 'pending' | 'changed' | 'unknown';
  appliedAt: string | null;
}

/** Files and ledger do not fit: a migration that was applied has changed since or is missing, or two have one number. */
export class MigrationDrift extends Error {
  override name = 'MigrationDrift';
}

/** Of the checkout, and of the package: there this is part of dist/cli/main.js, as deep below. */
const DIRECTORY = new URL('../../migrations/', import.meta.url);
const FILE = /^(\d{4})_[a-z0-9_]+\.sql$/;

/** Reads the migrations in order. */
export async function readMigrations(directory: URL = DIRECTORY): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => FILE.test(file)).toSorted();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(new URL(file, directory), 'utf8');
      const checksum = createHash('sha256').update(text).digest('hex');
      return { version: file.slice(0, 4), name: file.slice(0, -'.sql'.length), text, checksum };
    }),
  );
}

/** Compares the files with the ledger. Changes nothing. */
export async function migrationStatus(sql: Sql, migrations: Migration[]): Promise<MigrationState[]> {
  const ledger = new Map((await readLedger(sql)).map((row) => [row.version, row]));
  const states = migrations.map(({ version, name, checksum }): MigrationState => {
    const row = ledger.get(version);
    ledger.delete(version);
    if (row === undefined) return { version, name, state: 'pending', appliedAt: null };
    const state = row.checksum === checksum ? 'applied' : 'changed';
    return { version, name, state, appliedAt: row.applied_at };
  });
  const unknown = [...ledger.values()].map((row): MigrationState => ({
    ...row,
    state: 'unknown',
    appliedAt: row.applied_at,
  }));
  return [...states, ...unknown];
}

/**
 * Applies what is pending, each file with its ledger row in one transaction, under a lock that makes a second runner
 * wait and then find the work done. With `dryRun` everything is executed in one transaction and rolled back.
 * @returns the migrations that were pending
 * @throws MigrationDrift before anything is done; the driver's error when a file fails (it is rolled back)
 */
export async function migrate(
  sql: Sql,
  migrations: Migration[],
  options: { dryRun?: boolean; onApplied?: (migration: Migration) => void } = {},
): Promise<Migration[]> {
  const twins = migrations.filter(({ version }, index) => migrations[index - 1]?.version === version);
  if (twins.length > 0) {
    throw new MigrationDrift(
      `Two migrations have one number: ${twins.map(({ name }) => name).join(', ')}. Renumber the newer one.`,
    );
  }
  const states = await migrationStatus(sql, migrations);
  const drifted = states.filter(({ state }) => state === 'changed' || state === 'unknown');
  if (drifted.length > 0) {
    const list = drifted.map(({ name, state }) => `${name} (${state})`).join(', ');
    throw new MigrationDrift(
      `Applied migrations differ from the files: ${list}. Restore the files as they were applied; change the schema by a new migration.`,
    );
  }
  const pending = migrations.filter((_, index) => states[index]?.state === 'pending');
  if (options.dryRun) {
    await dryRun(sql, pending);
  } else {
    for (const migration of pending) {
      await sql.query(block(BOOTSTRAP + apply(migration)));
      options.onApplied?.(migration);
    }
  }
  return pending;
}

const BOOTSTRAP = `
  PERFORM pg_advisory_xact_lock(hashtextextended('daybook.migrate', 0));
  IF current_setting('server_version_num')::integer < 150000 THEN
    RAISE EXCEPTION 'this is Postgres %, and Daybook needs 15 or newer', current_setting('server_version')
      USING ERRCODE = 'feature_not_supported';
  END IF;
  IF to_regnamespace('audit') IS NOT NULL AND to_regclass('audit.schema_migrations') IS NULL THEN
    RAISE EXCEPTION 'there is a schema audit already, which Daybook did not make: take another database, or rename it'
      USING ERRCODE = 'duplicate_schema';
  END IF;
  CREATE SCHEMA IF NOT EXISTS audit;
  CREATE TABLE IF NOT EXISTS audit.schema_migrations (
    version    text PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz(3) NOT NULL DEFAULT now()
  );`;

/** One statement, as the protocol wants it: EXECUTE takes the whole file, and the block is one transaction. */
function block(body: string): string {
  return `DO $daybook_migrate$ BEGIN ${body}\n END $daybook_migrate$`;
}

function apply({ version, name, text, checksum }: Migration): string {
  if (text.includes('$daybook_migrat')) throw new MigrationDrift(`${name} uses the runner's own quotes`);
  return `
  IF NOT EXISTS (SELECT FROM audit.schema_migrations WHERE version = '${version}') THEN
    EXECUTE $daybook_migration$${text}$daybook_migration$;
    INSERT INTO audit.schema_migrations (version, name, checksum) VALUES ('${version}', '${name}', '${checksum}');
  END IF;`;
}

const ROLLED_BACK = 'daybook: dry run, rolled back';

async function dryRun(sql: Sql, pending: Migration[]): Promise<void> {
  try {
    await sql.query(block(`${BOOTSTRAP}${pending.map(apply).join('')}\n RAISE EXCEPTION '${ROLLED_BACK}';`));
  } catch (error) {
    if (!(error instanceof Error && error.message.includes(ROLLED_BACK))) throw error;
  }
}

interface LedgerRow {
  version: string;
  name: string;
  checksum: string;
  applied_at: string;
}

async function readLedger(sql: Sql): Promise<LedgerRow[]> {
  const [present] = await sql.query(`SELECT to_regclass('audit.schema_migrations') IS NOT NULL AS found`);
  if (present?.['found'] !== true) return [];
  const rows = await sql.query(
    `SELECT version, name, checksum, to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS applied_at
     FROM audit.schema_migrations ORDER BY version`,
  );
  return rows as LedgerRow[];
}
