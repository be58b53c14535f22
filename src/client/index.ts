export { Audit, AuditError } from './audit.ts';
export * from './configured.ts';
export { createAudit, type AuditOptions } from './create-audit.ts';
export type { Actor, AuditEvent, EventContext, Target } from './event.ts';
export type { Counts } from './buffer.ts';
export type { Logger } from './teller.ts';
export type { BatchOutcome, EventOutcome, Receipt, Transport } from './transport.ts';
export { workspaceHelpers, type AuditAction, type WorkspaceEvent } from './workspace.ts';
