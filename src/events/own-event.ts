import type { AuditEventInput } from './event.ts';
import { prepareEvent, type PreparedEvent } from './prepare.ts';

/** Where the service keeps its own record. Only the service writes there. */
export const SYSTEM_WORKSPACE = 'daybook';

/** An event that the service itself writes. */
export function ownEvent(workspaceId: string, input: AuditEventInput, now = Date.now()): PreparedEvent {
  const prepared = prepareEvent(input, { workspaceId, keyId: null, now, checkWindow: false });
  if (!prepared.ok)
    throw new Error(`the service's own event is not valid: ${JSON.stringify(prepared.flaws)}`);
  return prepared.event;
}
