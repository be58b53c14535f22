import type { Context } from 'hono';

/** Every problem a client can meet: its status and title. The key is the stable `code`. */
export const PROBLEMS = {
  malformed_json: { status: 400, title: 'The body is not JSON' },
  invalid_query: { status: 400, title: 'The query is not valid' },
  invalid_idempotency_key: { status: 400, title: 'The Idempotency-Key is not valid here' },
  invalid_cursor: { status: 400, title: 'The cursor is not valid here' },
  missing_key: { status: 401, title: 'An API key is required' },
  malformed_key: { status: 401, title: 'This is not an API key' },
  invalid_key: { status: 401, title: 'The API key was not issued here' },
  expired_key: { status: 401, title: 'The API key has expired' },
  revoked_key: { status: 401, title: 'The API key was revoked' },
  insufficient_scope: { status: 403, title: 'The API key may not do this' },
  workspace_forbidden: { status: 403, title: 'The API key does not cover this workspace' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  request_timeout: { status: 408, title: 'The body did not arrive' },
  conflict: { status: 409, title: 'Another event has this id' },
  too_large: { status: 413, title: 'The body is too large' },
  too_many_events: { status: 413, title: 'The batch has too many events' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  invalid_event: { status: 422, title: 'The event is not valid' },
  invalid_batch: { status: 422, title: 'The batch is not valid' },
  invalid_body: { status: 422, title: 'The body is not valid' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used for another body' },
  refused_event: { status: 422, title: 'The database refuses the event' },
  rate_limited: { status: 429, title: 'This key sends too many requests' },
  internal_error: { status: 500, title: 'Daybook failed' },
  unavailable: { status: 503, title: 'Daybook cannot do this right now' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One place in the input that is wrong. */
export interface ProblemPlace {
  /** RFC 6901 */
  pointer: string;
  code: string;
  detail: string;
}

/** A failure on its way to the client: an error value until `problemResponse` writes it as RFC 9457. */
export interface Problem {
  code: ProblemCode;
  /** what is wrong here and what to do; never SQL, a stack, a payload or another workspace's existence */
  detail: string;
  errors?: ProblemPlace[];
  /** extension members (RFC 9457, section 3.2) */
  members?: Record<string, unknown>;
  /** seconds */
  retryAfter?: number;
  headers?: Record<string, string>;
}

/** @param failure offset in UTF-16 code units, and what is wrong there */
export function malformedJson(failure: { position: number; detail: string }): Problem {
  return { code: 'malformed_json', detail: `${failure.detail} (at character ${failure.position})` };
}

/** Thrown by middleware and routes to end a request; `app.onError` turns it into its answer. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.code);
    this.problem = problem;
  }
}

/** RFC 9457 members of a problem. `type` resolves to a page of ours. */
export function problemBody(problem: Problem, origin: string, requestId: string) {
  const { status, title } = PROBLEMS[problem.code];
  return {
    type: `${origin}/problems/${problem.code}`,
    code: problem.code,
    title,
    status,
    detail: problem.detail,
    request_id: requestId,
    ...(problem.errors && { errors: problem.errors }),
    ...problem.members,
  };
}

/** The answer to a request that failed (RFC 9457, section 3). */
export function problemResponse(c: Context, problem: Problem): Response {
  // For the log of requests.
  c.set('problem', problem.code);
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json', ...problem.headers };
  if (problem.retryAfter !== undefined) headers['Retry-After'] = String(problem.retryAfter);
  const body = problemBody(problem, new URL(c.req.url).origin, c.get('requestId'));
  return c.body(JSON.stringify(body), PROBLEMS[problem.code].status, headers);
}
