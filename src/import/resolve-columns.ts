import { nearestName } from '../events/nearest.ts';
import { ImportError } from './import-error.ts';
import type { Field, Mapping } from './mapping.ts';
import type { Column } from './source.ts';

/** A column of the source that becomes a field. */
export interface MappedColumn {
  name: string;
  field: Field;
  isRequired: boolean;
  known: readonly string[] | undefined;
  values: Readonly<Record<string, string>> | undefined;
}

export interface ResolvedColumns {
  mapped: MappedColumn[];
  /** no name of the mapping fits them */
  others: Column[];
}

/**
 * Finds the columns that a mapping names in those that there are.
 * @param named columns that a person wrote, and that must be there
 * @throws ImportError that names what is missing
 */
export function resolveColumns(
  mapping: Mapping,
  columns: readonly Column[],
  named: readonly string[] = [],
): ResolvedColumns {
  const keys = new Map(columns.map((column) => [keyOf(mapping, column.name), column]));
  for (const name of [...named, ...(mapping.required ?? [])]) {
    if (!keys.has(name)) throw missing(name, columns);
  }
  const resolved: ResolvedColumns = { mapped: [], others: [] };
  for (const column of columns) {
    const key = keyOf(mapping, column.name);
    if (key === undefined) resolved.others.push(column);
    const target = key === undefined ? undefined : mapping.columns[key];
    if (key === undefined || target === undefined || target === null) continue;
    const isRequired = mapping.required?.includes(key) === true;
    resolved.mapped.push({
      name: column.name,
      isRequired,
      known: target.known,
      values: target.values,
      field: target.field,
    });
  }
  checkFields(mapping, resolved.mapped);
  return resolved;
}

/** The name under which the mapping has a column: its own, or the only one that is the same without case and underscores. */
function keyOf(mapping: Mapping, column: string): string | undefined {
  if (Object.hasOwn(mapping.columns, column)) return column;
  const alike = Object.keys(mapping.columns).filter((name) => plain(name) === plain(column));
  return alike.length === 1 ? alike[0] : undefined;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '');
}

function checkFields(mapping: Mapping, mapped: readonly MappedColumn[]): void {
  for (const field of ['created_at', 'action'] as const) {
    if (mapped.some((column) => column.field === field)) continue;
    if (field === 'action' && mapping.defaults?.action !== undefined) continue;
    const names = Object.entries(mapping.columns).flatMap(([name, column]) =>
      column?.field === field ? [name] : [],
    );
    throw new ImportError(
      names.length === 0
        ? `The mapping gives no column to ${field}, which every event has.`
        : `No column becomes ${field}: there is none named ${names.join(' or ')}. Name yours with --mapping (docs/migrating.md).`,
    );
  }
  const fields = mapped.map(({ field }) => field).filter((field) => field !== 'metadata');
  const twice = fields.find((field, index) => fields.indexOf(field) !== index);
  if (twice === undefined) return;
  const names = mapped.filter(({ field }) => field === twice).map(({ name }) => name);
  throw new ImportError(
    `${names.join(' and ')} both become ${twice}. Say with --mapping where the other goes, or null to leave it out.`,
  );
}

function missing(name: string, columns: readonly Column[]): ImportError {
  const names = columns.map((column) => column.name);
  return new ImportError(`The source has no column ${name}. ${hintOf(name, names)}`);
}

function hintOf(name: string, names: readonly string[]): string {
  const [first = ''] = names;
  const [separator] = (names.length === 1 && /[;\t|]/.exec(first)) || [];
  // A CSV file of a spreadsheet's, in some countries.
  if (separator !== undefined)
    return `Its only column is "${first}": separate values by commas, not by ${JSON.stringify(separator)}.`;
  const near = nearestName(name, names);
  return near === undefined ? `It has ${names.join(', ')}.` : `Is it ${near}?`;
}
