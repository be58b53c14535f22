import type { Context, MiddlewareHandler } from 'hono';
import type { Audit, RequestAudit } from './audit.ts';
import type { Actor, AuditEvent } from './event.ts';
import { actorOr, checked, contextOf, found, type AddressOptions } from './request.ts';

/**
 * What `auditContext` puts into a context of Hono: `AuditVariables<typeof audit>` has the types of a catalogue. No interface:
 * older versions of Hono take none.
 */
export type AuditVariables<Logger = Audit> = {
  audit: RequestAudit<Logger>;
};

export interface HonoAuditOptions extends AddressOptions {
  /** who acts, from what middleware before this one found out; `anonymous` unless given, with an id where one is needed */
  actor?(c: Context): Actor | undefined;
  /** the address of the connection, by the adapter of the runtime (`getConnInfo(c).remote.address`) */
  peer?(c: Context): string | undefined;
}

/**
 * Middleware for Hono: `c.get('audit')` is a logger that knows who acts, from where and by which request. Where there is an
 * `executionCtx`, it sends within its `waitUntil`; on Workers the address is the platform's `CF-Connecting-IP`. The request's
 * id is that of Hono's own `requestId()`, or the header `X-Request-Id`.
 * @throws TypeError for options that say nothing
 * @example
 * ```ts
 * const app = new Hono<{ Variables: { userId?: string } & AuditVariables<typeof audit> }>()
 * app.use(auditContext(audit, { actor: (c) => ({ type: 'user', id: c.get('userId') }) }))
 * app.post('/projects', (c) => { c.get('audit').log({ action: 'project.created', target: { type: 'project' } }) … })
 * ```
 */
export function auditContext<Event = AuditEvent>(
  audit: Audit<never, Event>,
  options: HonoAuditOptions = {},
): MiddlewareHandler<{ Variables: AuditVariables<Audit<never, Event>> }> {
  const address = checked<AddressOptions>(
    isWorker() ? { ipHeader: 'CF-Connecting-IP', ...options } : options,
  );
  return async function auditContext(c: Context, next) {
    const peer = found(audit, 'the address', () => options.peer?.(c));
    const requestId: unknown = c.get('requestId');
    const context = contextOf(
      (name) => c.req.header(name),
      peer,
      address,
      typeof requestId === 'string' ? requestId : undefined,
    );
    const actor = actorOr(found(audit, 'the actor', () => options.actor?.(c)));
    c.set('audit', duringRequest(audit, c).with({ actor, context }));
    await next();
  };
}

function isWorker(): boolean {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers';
}

function duringRequest<Event>(audit: Audit<never, Event>, c: Context): Audit<never, Event> {
  try {
    return audit.during(c.executionCtx);
  } catch {
    // Without a context of execution, as on Node or in a Durable Object.
    return audit;
  }
}
