import { readFile } from 'node:fs/promises';
import { hash } from 'node:crypto';
import { columnsOf } from './columns-of.ts';
import { eventReader } from './event-lines.ts';
import { ImportError } from './import-error.ts';
import { readMapping, type Mapping } from './mapping.ts';
import { Ordinals } from './ordinals.ts';
import { PRESETS, presetOf } from './presets/preset.ts';
import type { ColumnOf } from './reason.ts';
import { resolveColumns, type ResolvedColumns } from './resolve-columns.ts';
import { kindOf, openSource } from './sources/open-source.ts';
import type { Source } from './source.ts';
import { tableReader, type RowReader } from './table-rows.ts';

/** What the command line says of an import. */
export interface ImportRequest {
  from: string;
  preset?: string | undefined;
  /** path of a JSON file */
  mapping?: string | undefined;
  table?: string | undefined;
  workspace?: string | undefined;
}

export interface OpenedImport {
  source: Source;
  read: RowReader;
  columnOf: ColumnOf;
  ordinals: Ordinals;
  settings: unknown;
  /** a file name for what is rejected */
  rejects: string;
  /** columns that become members of the metadata, for no name of the mapping fits them */
  kept: string[];
}

/** Opens the source and finds its columns, so that what is wrong with them is told before anything is done. @throws ImportError */
export async function openImport(request: ImportRequest): Promise<OpenedImport> {
  const { from, table, workspace } = request;
  const ordinals = new Ordinals();
  const kind = await kindOf(from);
  if (kind === 'ndjson') {
    if (request.preset !== undefined || request.mapping !== undefined || table !== undefined)
      throw new ImportError(
        "NDJSON holds Daybook's own events: leave --preset, --mapping and --table out. Rows of a table come from the database itself, or as CSV.",
      );
    const source = await openSource(from, kind, undefined, []);
    const settings = { workspace };
    const rejects = rejectsName(source, 'events', settings);
    const read = eventReader(workspace, ordinals);
    return { source, read, columnOf: () => undefined, ordinals, settings, rejects, kept: [] };
  }
  if (table !== undefined && kind === 'csv')
    throw new ImportError('A CSV file has no tables: leave --table out.');
  const { mapping, named } = await mappingOf(request);
  const source = await openSource(from, kind, table, mapping.tables ?? []);
  try {
    const { columns = [], hasStablePlaces } = source;
    const resolved = resolveColumns(mapping, columns, named);
    if (workspace === undefined && !namesWorkspace(mapping, resolved))
      throw new ImportError('Add --workspace: no column names one, so all rows are of one.');
    const columnOf = columnsOf(resolved);
    const read = tableReader({
      mapping,
      resolved,
      columnOf,
      hasStablePlaces,
      ordinals,
      workspaceId: workspace,
    });
    const settings = { workspace, mapping };
    const rejects = rejectsName(source, mapping.name, settings);
    const kept = resolved.others.map(({ name }) => name);
    return { source, read, columnOf, ordinals, settings, rejects, kept };
  } catch (error) {
    await source.close();
    throw error;
  }
}

function namesWorkspace({ defaults }: Mapping, { mapped }: ResolvedColumns): boolean {
  return defaults?.workspace_id !== undefined || mapped.some(({ field }) => field === 'workspace_id');
}

async function mappingOf({ preset, mapping }: ImportRequest): Promise<{ mapping: Mapping; named: string[] }> {
  if (preset === undefined && mapping === undefined)
    throw new ImportError(
      `Say what the columns are: --preset ${PRESETS.join('|')}, or --mapping with a file (docs/migrating.md).`,
    );
  const known = preset === undefined ? undefined : presetOf(preset);
  const file = mapping === undefined ? undefined : await readJsonFile(mapping);
  const named =
    typeof file === 'object' && file !== null && 'columns' in file ? Object.keys(file.columns ?? {}) : [];
  return { mapping: readMapping(file, known), named };
}

async function readJsonFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new ImportError(`The mapping ${path} cannot be read: ${String(error)}.`, { cause: error });
  }
}

/** In the directory where the command runs, another one for each source, table, mapping and workspace. */
function rejectsName(source: Source, mapping: string, settings: { workspace?: string | undefined }): string {
  const whole = hash('sha256', JSON.stringify([source.fingerprint, settings])).slice(0, 6);
  const parts = [source.name, mapping, ...(settings.workspace === undefined ? [] : [settings.workspace])];
  const plain = parts.map((part) =>
    part
      .replaceAll('"', '')
      .replace(/[^A-Za-z0-9._-]+/g, '_')
      .slice(0, 60),
  );
  return `${plain.join('.')}.${whole}.rejects.ndjson`;
}
