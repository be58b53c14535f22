import type { AuditEventInput } from './event.ts';
import { prepareEvent, type PreparedEvent } from './prepare.ts';

/** Where the service keeps its own record. Only the service writes there. */
export const SYSTEM_WORKSPACE = 'daybook';

/** All that the service itself writes. The database takes it in strict workspaces too (migrations/0009_catalogue.sql). */
export const OWN_ACTIONS = [
  'operator.events_listed',
  'operator.event_read',
  'operator.dead_letters_listed',
  'operator.dead_letter_retried',
  'operator.retention_viewed',
  'operator.retention_run',
  'operator.workspaces_listed',
  'operator.workspace_viewed',
  'operator.catalogue_viewed',
  'operator.request_refused',
  'workspace.changed',
  'catalogue.changed',
  'retention.enforced',
] as const;
export type OwnAction = (typeof OWN_ACTIONS)[number];
export const OWN_TARGET_TYPES = ['workspace', 'retention_run'] as const;

type OwnEventInput = AuditEventInput & {
  action: OwnAction;
  target: { type: (typeof OWN_TARGET_TYPES)[number] };
};

/** An event that the service itself writes. */
export function ownEvent(workspaceId: string, input: OwnEventInput, now = Date.now()): PreparedEvent {
  const prepared = prepareEvent(input, { workspaceId, keyId: null, now, checkWindow: false });
  if (!prepared.ok)
    throw new Error(`the service's own event is not valid: ${JSON.stringify(prepared.flaws)}`);
  return prepared.event;
}
