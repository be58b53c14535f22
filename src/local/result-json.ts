import type { StatementResult } from './engine.ts';
import { jsonText } from './json-text.ts';

export interface RowFormat {
  rawText: boolean;
  arrayMode: boolean;
}

/** The answer to one statement, as JSON text. */
export function resultJson(result: StatementResult, { rawText, arrayMode }: RowFormat): string {
  const { command, rowCount } = result;
  const fields = result.fields.map(
    ({ name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier }) => ({
      name,
      dataTypeID,
      tableID,
      columnID,
      dataTypeSize,
      dataTypeModifier,
      format: 'text',
    }),
  );
  const head = JSON.stringify({ command, rowCount, rowAsArray: arrayMode, fields });
  // The common case by far, and the one that needs no look at the single value.
  const rows = rawText && arrayMode ? JSON.stringify(result.rows) : rowsJson(result, rawText, arrayMode);
  return `${head.slice(0, -1)},"rows":${rows}}`;
}

function rowsJson({ fields, rows }: StatementResult, rawText: boolean, arrayMode: boolean): string {
  const keys = fields.map(({ name }) => `${JSON.stringify(name)}:`);
  const [open, close] = arrayMode ? ['[', ']'] : ['{', '}'];
  const row = (values: (string | null)[]) => {
    const members = values.map((value, index) => {
      const json = valueJson(value, rawText ? undefined : fields[index]?.dataTypeID);
      return arrayMode ? json : `${keys[index]}${json}`;
    });
    return `${open}${members.join(',')}${close}`;
  };
  return `[${rows.map(row).join(',')}]`;
}

function valueJson(value: string | null, dataTypeID: number | undefined): string {
  if (value === null) return 'null';
  return dataTypeID === undefined ? JSON.stringify(value) : jsonText(value, dataTypeID);
}
