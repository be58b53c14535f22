import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';

/** Who sent the request, as authentication leaves it. */
type Sender = { kind: 'key'; claims: { id: string } } | { kind: 'operator' };

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * One line of JSON for each request, once its answer is made. Of what the sender chose it holds only `request_id`, as
 * `hono/request-id` lets it pass (at most 255 of `A-Z a-z 0-9 _ - =`): no path, query, header, address or body.
 * Use it right after `requestId()`, so that it sees the answer of everything else.
 */
export function requestLog(): MiddlewareHandler {
  return async function requestLog(c, next) {
    const startedAt = Date.now();
    await next();
    console.log(JSON.stringify(lineOf(c, Date.now() - startedAt)));
  };
}

/** @param ms until the answer was made; workerd's clock stands still but for I/O */
function lineOf(c: Context, ms: number): Record<string, string | number | true> {
  const sender: Sender | undefined = c.get('identity');
  // Set, too, where another answer then took the problem's place.
  const problem: string | undefined = c.res.status < 400 ? undefined : c.get('problem');
  const ack = c.res.headers.get('Daybook-Ack');
  const route = routeOf(c);
  return {
    event: 'request',
    request_id: c.get('requestId'),
    method: METHODS.has(c.req.method) ? c.req.method : 'other',
    ...(route !== undefined && { route }),
    status: c.res.status,
    ms,
    ...(sender?.kind === 'key' && { key_id: sender.claims.id }),
    ...(sender?.kind === 'operator' && { operator: true }),
    ...(ack !== null && { ack }),
    ...(problem !== undefined && { problem }),
  };
}

/** The pattern of the route that answered, without its regular expressions: `/v1/events/:id`. */
function routeOf(c: Context): string | undefined {
  const pattern = routePath(c, -1);
  // Where no route matched, only middleware did.
  return pattern.endsWith('*') ? undefined : pattern.replace(/\{.*\}/, '');
}
