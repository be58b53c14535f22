import type { Audit, RequestAudit } from './audit.ts';
import type { Actor, AuditEvent } from './event.ts';
import { actorOr, contextOf, found } from './request.ts';

/** What is read of a request of Express. */
interface ExpressRequest {
  /** as Express finds it, by the application's own setting `trust proxy` */
  ip?: string | undefined;
  get(name: string): string | undefined;
}

/**
 * A request that went through `auditContext`. Said once, all of Express' handlers know it, with the types of a catalogue:
 * `declare global { namespace Express { interface Request extends Audited<typeof audit> {} } }`
 */
export interface Audited<Logger = Audit> {
  audit: RequestAudit<Logger>;
}

export interface ExpressAuditOptions<Request> {
  /** who acts, from what middleware before this one found out; `anonymous` unless given */
  actor?(request: Request): Actor | undefined;
}

/**
 * Middleware for Express: `req.audit` is a logger that knows who acts, from where and by which request. The address is
 * `req.ip`: say by Express' own `app.set('trust proxy', …)` which proxies it may be taken from.
 */
export function auditContext<Request extends ExpressRequest, Event = AuditEvent>(
  audit: Audit<never, Event>,
  options: ExpressAuditOptions<Request> = {},
) {
  return function auditContext(
    request: Request & Partial<Audited<Audit<never, Event>>>,
    _response: unknown,
    next: () => void,
  ): void {
    const context = contextOf((name) => request.get(name), request.ip, {});
    const actor = actorOr(found(audit, 'the actor', () => options.actor?.(request)));
    request.audit = audit.with({ actor, context });
    next();
  };
}
