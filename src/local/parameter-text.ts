/** A value as JSON brings it. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/**
 * A parameter in Postgres' text format: NULL stays null, a string stays as it is, an array becomes an array
 * literal, anything else its JSON text.
 */
export function parameterText(value: JsonValue): string | null {
  if (value === null || typeof value === 'string') return value;
  return Array.isArray(value) ? arrayLiteral(value) : JSON.stringify(value);
}

/**
 * Elements are quoted as in JSON, as Neon does it. That is Postgres' own quoting except for control characters:
 * a newline, `\n` in JSON, arrives as the letter n. The driver sends arrays as strings, so it never gets here.
 */
function arrayLiteral(values: JsonValue[]): string {
  return `{${values.map(element).join(',')}}`;
}

function element(value: JsonValue): string {
  if (value === null) return 'NULL';
  if (Array.isArray(value)) return arrayLiteral(value);
  return typeof value === 'object' ? JSON.stringify(JSON.stringify(value)) : JSON.stringify(value);
}
