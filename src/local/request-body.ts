import type { Statement } from './engine.ts';
import { InvalidRequest } from './invalid-request.ts';
import { type JsonValue, parameterText } from './parameter-text.ts';

/** A statement, and how its caller wants the rows. */
export interface Query extends Statement {
  /** Overrules the header `Neon-Array-Mode`. */
  arrayMode: boolean | undefined;
}

export interface SqlBody {
  queries: Query[];
  /** Sent as `{queries: […]}`: one transaction, answered by `{results: […]}`. */
  batch: boolean;
}

/** @throws InvalidRequest */
export function parseBody(body: Buffer): SqlBody {
  let json: JsonValue;
  try {
    // Sound: this is what JSON.parse can return.
    json = JSON.parse(body.toString('utf8')) as JsonValue;
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error));
  }
  const single = parseQuery(json);
  if (single) return { queries: [single], batch: false };
  if (isObject(json) && Array.isArray(json['queries'])) {
    return { queries: json['queries'].map((query) => parseQuery(query) ?? noMatch()), batch: true };
  }
  return noMatch();
}

function parseQuery(json: JsonValue): Query | undefined {
  if (!isObject(json)) return undefined;
  const { query, params = [], arrayMode = null } = json;
  if (typeof query !== 'string' || !Array.isArray(params)) return undefined;
  if (arrayMode !== null && typeof arrayMode !== 'boolean') return undefined;
  // The wire protocol ends the text at a zero byte: what follows would go missing.
  if (query.includes('\0')) throw new InvalidRequest('string contains embedded null');
  return { query, params: params.map(parameterText), arrayMode: arrayMode ?? undefined };
}

function isObject(json: JsonValue): json is { [key: string]: JsonValue } {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function noMatch(): never {
  throw unreadable('data did not match any variant of untagged enum Payload');
}

function unreadable(reason: string): InvalidRequest {
  return new InvalidRequest(`could not parse the HTTP request body: ${reason}`);
}
