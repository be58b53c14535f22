import type { Context, MiddlewareHandler } from 'hono';
import type { Audit, RequestAudit } from './audit.ts';
import type { Actor, AuditEvent } from './event.ts';
import { contextOf, type AddressOptions } from './request.ts';

/**
 * What `auditContext` puts into a context of Hono: `AuditVariables<typeof audit>` has the types of a catalogue. No interface:
 * older versions of Hono take none.
 */
export type AuditVariables<Logger = Audit> = {
  audit: RequestAudit<Logger>;
};

export interface HonoAuditOptions extends AddressOptions {
  /** who acts, from what middleware before this one found out; `anonymous` unless given */
  actor?(c: Context): Actor | undefined;
  /** the address of the connection, by the adapter of the runtime (`getConnInfo(c).remote.address`) */
  peer?(c: Context): string | undefined;
}

/**
 * Middleware for Hono: `c.get('audit')` is a logger that knows who acts, from where and by which request. On Workers it
 * sends within the request's `waitUntil`, and the address is the platform's `CF-Connecting-IP`.
 * @example
 * ```ts
 * app.use(auditContext(audit, { actor: (c) => ({ type: 'user', id: c.get('userId') }) }))
 * app.post('/projects', (c) => { c.get('audit').log({ action: 'project.created', target: { type: 'project' } }) … })
 * ```
 */
export function auditContext<Event = AuditEvent>(
  audit: Audit<never, Event>,
  options: HonoAuditOptions = {},
): MiddlewareHandler<{ Variables: AuditVariables<Audit<never, Event>> }> {
  const address: AddressOptions = isWorker() ? { ipHeader: 'CF-Connecting-IP', ...options } : options;
  return async function auditContext(c, next) {
    const context = contextOf((name) => c.req.header(name), options.peer?.(c), address);
    const actor = options.actor?.(c) ?? { type: 'anonymous' };
    c.set('audit', duringRequest(audit, c).with({ actor, context }));
    await next();
  };
}

function isWorker(): boolean {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers';
}

function duringRequest<Event>(audit: Audit<never, Event>, c: Context): Audit<never, Event> {
  try {
    return isWorker() ? audit.during(c.executionCtx) : audit;
  } catch {
    // Without a context of execution, as in a Durable Object.
    return audit;
  }
}
