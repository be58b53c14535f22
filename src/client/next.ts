import type { Audit, RequestContext } from './audit.ts';
import type { Actor, AuditEvent } from './event.ts';
import { contextOf, type AddressOptions } from './request.ts';

export interface NextAuditOptions extends AddressOptions {
  /** who acts; `anonymous` unless given */
  actor?(request: Request): Promise<Actor | undefined> | Actor | undefined;
  /** `(promise) => after(() => promise)`, where the platform ends a function with its answer */
  waitUntil?: RequestContext['waitUntil'];
}

/**
 * Wraps a route handler of Next.js (or of anything that takes a `Request`): the second argument it is given is a logger that
 * knows who acts, from where and by which request. `Request` does not tell the address of its connection: say which header
 * may be trusted, or the events have no address.
 */
export function withAuditContext<Event = AuditEvent>(
  audit: Audit<never, Event>,
  options: NextAuditOptions = {},
) {
  const { waitUntil } = options;
  return function wrap<Rest extends unknown[], Answer>(
    handler: (
      request: Request,
      audit: Audit<'actor' | 'context', Event>,
      ...rest: Rest
    ) => Promise<Answer> | Answer,
  ): (request: Request, ...rest: Rest) => Promise<Answer> {
    return async function audited(request, ...rest) {
      const context = contextOf((name) => request.headers.get(name), undefined, options);
      const actor = (await options.actor?.(request)) ?? { type: 'anonymous' as const };
      const ofRequest = waitUntil === undefined ? audit : audit.during({ waitUntil });
      return handler(request, ofRequest.with({ actor, context }), ...rest);
    };
  };
}
