import type { ColumnOf } from './reason.ts';
import type { ResolvedColumns } from './resolve-columns.ts';

/** Finds the columns that fields of an event come from. */
export function columnsOf({ mapped }: ResolvedColumns): ColumnOf {
  const columns = new Map<string, string>(mapped.map(({ field, name }) => [field, name]));
  return (pointer) => {
    const [, first = '', second] = pointer.split('/');
    return columns.get(`${first}.${second}`) ?? columns.get(first);
  };
}
