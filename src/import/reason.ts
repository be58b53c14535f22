import type { Flaw } from '../events/flaw.ts';

/** Why a row is not stored. */
export interface Reason {
  /** the column at fault, where it is one */
  column?: string;
  /** of the event, as an RFC 6901 pointer, where no column can be named */
  pointer?: string;
  code: string;
  /** a sentence */
  detail: string;
}

/** The column that a field, by its pointer in the event, comes from. */
export type ColumnOf = (pointer: string) => string | undefined;

/** The code of a row without a workspace; the report says what to do about it. */
export const NO_WORKSPACE = 'no_workspace';

/** @param columnOf the column that a pointer's field comes from */
export function reasonOf(
  { pointer, code, detail }: Omit<Flaw, 'code'> & { code: string },
  columnOf?: ColumnOf,
): Reason {
  const column = columnOf?.(pointer);
  if (column !== undefined) return { column, code, detail };
  return pointer === '' ? { code, detail } : { pointer, code, detail };
}

/** Flaws of a value that stands in a column. */
export function columnReasons(column: string, flaws: readonly Flaw[]): Reason[] {
  return flaws.map(({ pointer, code, detail }) => ({
    column,
    code,
    detail: pointer === '' ? detail : `${detail} It is at ${pointer} of the column.`,
  }));
}

/** How a report counts reasons: by place and code. An unknown field's place is the sender's word. */
export function kindOf({ column, pointer, code }: Reason): string {
  const place = column ?? (code === 'unknown_field' ? undefined : pointer?.split('/')[1]);
  return place === undefined ? code : `${place}: ${code}`;
}
