import type { Audit, RequestContext } from './audit.ts';
import type { Actor, AuditEvent } from './event.ts';
import { actorOr, checked, contextOf, type AddressOptions } from './request.ts';

export interface NextAuditOptions<Of extends Request = Request> extends AddressOptions {
  /** who acts; `anonymous` unless given, with an id where one is needed */
  actor?(request: Of): Promise<Actor | null | undefined> | Actor | null | undefined;
  /** `(promise) => after(() => promise)`, where the platform ends a function with its answer */
  waitUntil?: RequestContext['waitUntil'];
}

/**
 * Wraps a route handler of Next.js (or of anything that takes a `Request`): the second argument it is given is a logger that
 * knows who acts, from where and by which request. `Request` does not tell the address of its connection: say which header
 * may be trusted, or the events have no address.
 */
export function withAuditContext<Event = AuditEvent, Of extends Request = Request>(
  audit: Audit<never, Event>,
  options: NextAuditOptions<Of> = {},
) {
  const { waitUntil } = checked(options);
  const actorOf = async (request: Of) => options.actor?.(request);
  return function wrap<Req extends Of, Rest extends unknown[], Answer>(
    handler: (
      request: Req,
      audit: Audit<'actor' | 'context', Event>,
      ...rest: Rest
    ) => Promise<Answer> | Answer,
  ): (request: Req, ...rest: Rest) => Promise<Answer> {
    return async function audited(request, ...rest) {
      const context = contextOf((name) => request.headers.get(name), undefined, options);
      const actor = await actorOf(request).catch((error: unknown) => {
        audit.tellMissing('the actor', error);
        return undefined;
      });
      const ofRequest = waitUntil === undefined ? audit : audit.during({ waitUntil });
      return handler(request, ofRequest.with({ actor: actorOr(actor), context }), ...rest);
    };
  };
}
