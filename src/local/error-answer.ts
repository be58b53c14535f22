import { ComputeUnreachable, ConnectionLost, PostgresError, ResultTooLarge } from './engine-errors.ts';
import type { PostgresErrorFields } from './engine-errors.ts';
import { InvalidRequest } from './invalid-request.ts';

export interface Answer {
  status: number;
  body: string;
  /** The error is none that a request should meet: a fault of this program or of a test. */
  unexpected?: boolean;
}

/** The proxy's own errors have no SQLSTATE and no severity, which it writes as empty strings. */
const proxyError = { code: '', severity: '' };

/** The status and the body, in Neon's shape, for whatever a request failed with. */
export function errorAnswer(error: unknown, maxResponseBytes: number): Answer {
  if (error instanceof PostgresError) return answer(400, error.fields);
  if (error instanceof InvalidRequest) return answer(error.status, { ...proxyError, message: error.message });
  if (error instanceof ConnectionLost) return answer(400, { ...proxyError, message: error.message });
  if (error instanceof ResultTooLarge) {
    const message = `response is too large (max is ${maxResponseBytes} bytes)`;
    return answer(507, { ...proxyError, message });
  }
  if (error instanceof ComputeUnreachable) {
    // A server that refused because it starts, stops or is full said why.
    if (error.cause instanceof PostgresError) return answer(500, error.cause.fields);
    return answer(500, { ...proxyError, message: error.message });
  }
  return { ...answer(500, { ...proxyError, message: 'internal error' }), unexpected: true };
}

function answer(status: number, fields: PostgresErrorFields): Answer {
  return { status, body: errorJson(fields) };
}

/** All fields by Neon's names and in its order; what is absent is null. */
function errorJson(fields: PostgresErrorFields): string {
  return JSON.stringify({
    message: fields.message,
    code: fields.code,
    detail: fields.detail ?? null,
    hint: fields.hint ?? null,
    position: fields.position ?? null,
    internalPosition: fields.internalPosition ?? null,
    internalQuery: fields.internalQuery ?? null,
    severity: fields.severity,
    where: fields.where ?? null,
    table: fields.table ?? null,
    column: fields.column ?? null,
    schema: fields.schema ?? null,
    dataType: fields.dataType ?? null,
    constraint: fields.constraint ?? null,
    file: fields.file ?? null,
    line: fields.line ?? null,
    routine: fields.routine ?? null,
  });
}
