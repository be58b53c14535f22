import { ImportError } from '../import-error.ts';

/** @param names the tables that there are */
export function noTable(wanted: string, names: readonly string[]): ImportError {
  const hint =
    names.length === 0
      ? 'It has no tables: is it the right one?'
      : `Name one of these with --table: ${names.join(', ')}.`;
  return new ImportError(`The database has no table ${wanted}. ${hint}`);
}
