import { createAudit, type AuditOptions } from './create-audit.ts';
import type { Audit } from './audit.ts';
import { workspaceHelpers } from './workspace.ts';

type Helpers = ReturnType<typeof workspaceHelpers>;

/** Of the process, not of the module: a bundler may make two of that, as for Next's `instrumentation.ts`. */
const HELPERS = Symbol.for('daybook');
const shared = globalThis as { [HELPERS]?: Helpers };

/** Binds the functions below to one deployment, once, as the process starts. @returns the logger they use */
export const configureAudit: typeof createAudit = (options: AuditOptions): Audit => {
  const audit = createAudit(options);
  shared[HELPERS] = workspaceHelpers(audit);
  return audit;
};

let isTold = false;

/** Nothing is thrown into the application for a call that came too early; it is told once. */
function bound<Name extends keyof Helpers>(name: Name): Helpers[Name] {
  const call = (...args: never[]) => {
    const helpers = shared[HELPERS];
    if (helpers) return (helpers[name] as (...args: never[]) => void)(...args);
    if (!isTold) console.error(`daybook: ${name} was called before configureAudit`);
    isTold = true;
  };
  return call as Helpers[Name];
}

export const logAuditEvent = bound('logAuditEvent');
export const auditLogin = bound('auditLogin');
export const auditLogout = bound('auditLogout');
export const auditDataExport = bound('auditDataExport');
export const auditDataDeletion = bound('auditDataDeletion');
export const auditSettingsChange = bound('auditSettingsChange');
export const auditOAuthConnected = bound('auditOAuthConnected');
export const auditOAuthDisconnected = bound('auditOAuthDisconnected');
export const auditSubscriptionCreated = bound('auditSubscriptionCreated');
export const auditSubscriptionCancelled = bound('auditSubscriptionCancelled');
export const auditAdminAction = bound('auditAdminAction');
