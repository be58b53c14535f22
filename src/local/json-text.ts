import { elementTypes, typeOid } from './array-types.ts';

/**
 * Neon's JSON for a value in Postgres' text format: small integers, floats, booleans and JSON become what
 * they are in JSON, arrays of built-in types JSON arrays, and all else a string.
 */
export function jsonText(text: string, dataTypeID: number): string {
  const elementType = elementTypes.get(dataTypeID);
  if (elementType !== undefined) return arrayJson(text, elementType);
  switch (dataTypeID) {
    case typeOid.bool:
      return text === 't' ? 'true' : 'false';
    case typeOid.int2:
    case typeOid.int4:
    case typeOid.json:
    case typeOid.jsonb:
      return text;
    case typeOid.float4:
    case typeOid.float8:
      // NaN and the infinities have no JSON; Postgres' spelling of the rest is JSON already.
      return Number.isFinite(Number(text)) ? text : JSON.stringify(text);
    default:
      return JSON.stringify(text);
  }
}

/** Braces, commas, quoted and bare elements of an array literal; white space is not significant. */
const token = /\s*(?:([{},])|"((?:[^"\\]|\\.)*)"|([^{},"\s][^{},]*))/gsy;

function arrayJson(literal: string, elementType: number): string {
  // Lower bounds, as in `[0:1]={1,2}`, have no place in JSON.
  token.lastIndex = literal.startsWith('[') ? literal.indexOf('=') + 1 : 0;
  let json = '';
  for (let match = token.exec(literal); match; match = token.exec(literal)) {
    const [, mark, quoted, bare = ''] = match;
    if (mark === '{') json += '[';
    else if (mark === '}') json += ']';
    else if (mark === ',') json += ',';
    else if (quoted !== undefined) json += jsonText(quoted.replace(/\\(.)/gs, '$1'), elementType);
    else if (bare.trimEnd() === 'NULL') json += 'null';
    else json += jsonText(bare.trimEnd(), elementType);
  }
  return json;
}
