import { createAudit, type AuditOptions } from './create-audit.ts';
import type { Audit } from './audit.ts';
import { workspaceHelpers } from './workspace.ts';

/** Of the process, not of the module: a bundler may make two of that, as for Next's `instrumentation.ts`. */
const LOGGER = Symbol.for('daybook');
const shared = globalThis as { [LOGGER]?: Audit };

/** Binds the functions below to one deployment, once, as the process starts. @returns the logger they use */
export const configureAudit: typeof createAudit = (options: AuditOptions): Audit =>
  (shared[LOGGER] = createAudit(options));

let isTold = false;

/** Nothing is thrown into the application for a call that came too early; it is told once. */
function log(event: Parameters<Audit['log']>[0]): void {
  if (shared[LOGGER]) return shared[LOGGER].log(event);
  if (!isTold) console.error('daybook: an event came before configureAudit');
  isTold = true;
}

export const {
  logAuditEvent,
  auditLogin,
  auditLogout,
  auditDataExport,
  auditDataDeletion,
  auditSettingsChange,
  auditOAuthConnected,
  auditOAuthDisconnected,
  auditSubscriptionCreated,
  auditSubscriptionCancelled,
  auditAdminAction,
} = /* @__PURE__ */ workspaceHelpers({ log });
