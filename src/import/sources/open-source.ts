import { Buffer } from 'node:buffer';
import { open } from 'node:fs/promises';
import { ImportError } from '../import-error.ts';
import type { Source } from '../source.ts';

/** What `--from` names. */
export type SourceKind = 'postgres' | 'sqlite' | 'csv' | 'ndjson';

const POSTGRES = /^postgres(ql)?:\/\//i;

const ENDINGS: readonly [RegExp, SourceKind][] = [
  [POSTGRES, 'postgres'],
  [/\.csv$/i, 'csv'],
  [/\.(ndjson|jsonl)$/i, 'ndjson'],
  [/\.(db|sqlite|sqlite3)$/i, 'sqlite'],
];

/** @throws ImportError where nothing tells what it is */
export async function kindOf(from: string): Promise<SourceKind> {
  // Not repeated: it may hold a password.
  if (from.includes('://') && !POSTGRES.test(from))
    throw new ImportError('--from takes no URL but that of Postgres, which begins with postgres://.');
  const known = ENDINGS.find(([ending]) => ending.test(from))?.[1];
  if (known !== undefined) return known;
  if (await startsAsSqlite(from)) return 'sqlite';
  throw new ImportError(
    '--from takes postgres://user:password@host/database, a SQLite database (.db), .csv or .ndjson; this is none of them.',
  );
}

/**
 * Opens what `--from` names.
 * @param tables those of the mapping, where none is named
 * @throws ImportError that says what to do
 */
export async function openSource(
  from: string,
  kind: SourceKind,
  table: string | undefined,
  tables: readonly string[],
): Promise<Source> {
  switch (kind) {
    case 'postgres':
      return (await import('./postgres.ts')).openPostgres(from, table, tables);
    case 'sqlite':
      return (await import('./sqlite.ts')).openSqlite(from, table, tables);
    case 'csv':
      return (await import('./csv.ts')).openCsv(from);
    case 'ndjson':
      return (await import('./ndjson.ts')).openNdjson(from);
  }
}

async function startsAsSqlite(path: string): Promise<boolean> {
  try {
    const file = await open(path);
    const { buffer } = await file.read(Buffer.alloc(16), 0, 16, 0).finally(() => file.close());
    return buffer.toString('latin1') === 'SQLite format 3\0';
  } catch {
    return false;
  }
}
