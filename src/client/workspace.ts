import type { JsonObject } from '../events/kinds.ts';
import { plainAddress } from './address.ts';
import type { Audit } from './audit.ts';
import type { AuditEvent } from './event.ts';

/** The actions of the workspace vocabulary. */
export type AuditAction =
  | 'login'
  | 'logout'
  | 'data_export_requested'
  | 'data_export_completed'
  | 'data_delete_requested'
  | 'data_delete_completed'
  | 'subscription_created'
  | 'subscription_cancelled'
  | 'settings_changed'
  | 'oauth_connected'
  | 'oauth_disconnected'
  | 'admin_action';

export interface WorkspaceEvent {
  workspaceId: string;
  /** nobody: the system */
  userId?: string | null | undefined;
  action: AuditAction;
  /** the type of what was acted on; by the action unless given */
  resource?: string | null | undefined;
  resourceId?: string | null | undefined;
  details?: JsonObject | null | undefined;
  previousValue?: unknown;
  newValue?: unknown;
  ipAddress?: string | null | undefined;
  userAgent?: string | null | undefined;
}

/** It goes into the details. */
interface AdminEvent {
  adminAction?: string;
}

/** What an action is about where nothing is said, if not what its name begins with. */
const RESOURCE: Record<string, string> = {
  login: 'session',
  logout: 'session',
  data_delete: 'data_deletion',
};

function resourceOf(action: AuditAction): string {
  const stem = String(action).replace(/_[a-z]*$/, '');
  return RESOURCE[stem] ?? stem;
}

type Id = string | null | undefined;

/** The helpers of one logger: short calls for what every product records. None of them throws or waits. */
export function workspaceHelpers(audit: Pick<Audit, 'log'>) {
  function logAuditEvent(event: WorkspaceEvent): void {
    try {
      audit.log(eventOf(event));
    } catch {
      // It cannot be read. Neither can this, and the logger is told so.
      audit.log(undefined as never);
    }
  }
  const eventOf = (event: WorkspaceEvent & AdminEvent): AuditEvent => ({
    workspace_id: event.workspaceId,
    action: event.action,
    actor: event.userId ? { type: 'user', id: event.userId } : { type: 'system' },
    target: { type: event.resource ?? resourceOf(event.action), id: event.resourceId },
    old_value: event.previousValue,
    new_value: event.newValue,
    metadata:
      event.adminAction === undefined ? event.details : { ...event.details, action: event.adminAction },
    // As far as it can be stored: a login must not fail on what its client says of itself.
    context: {
      ip_address: plainAddress(event.ipAddress),
      user_agent:
        String(event.userAgent ?? '')
          .slice(0, 2048)
          .toWellFormed() || undefined,
    },
  });
  const of = (
    action: AuditAction,
    userId: Id,
    workspaceId: string,
    rest: Partial<WorkspaceEvent> & AdminEvent = {},
  ) => logAuditEvent({ ...rest, action, userId, workspaceId });

  const session =
    (action: AuditAction) => (userId: Id, workspaceId: string, ipAddress?: Id, userAgent?: Id) =>
      of(action, userId, workspaceId, { ipAddress, userAgent });
  const data =
    (action: 'data_export' | 'data_delete') =>
    (
      userId: Id,
      workspaceId: string,
      status: 'requested' | 'completed' = 'requested',
      details?: JsonObject,
    ) =>
      of(`${action}_${status}`, userId, workspaceId, { details });
  const about =
    <Subject extends Id>(action: AuditAction) =>
    (userId: Id, workspaceId: string, resourceId: Subject, details?: JsonObject) =>
      of(action, userId, workspaceId, { resourceId, details });
  // It may be left out.
  type OfSubscription = (userId: Id, workspaceId: string, subscriptionId?: Id, details?: JsonObject) => void;

  return {
    logAuditEvent,
    auditLogin: session('login'),
    auditLogout: session('logout'),
    auditDataExport: data('data_export'),
    auditDataDeletion: data('data_delete'),
    auditSettingsChange: (
      userId: Id,
      workspaceId: string,
      setting: string,
      previousValue: unknown,
      newValue: unknown,
    ) => of('settings_changed', userId, workspaceId, { resourceId: setting, previousValue, newValue }),
    auditOAuthConnected: about<string>('oauth_connected'),
    auditOAuthDisconnected: about<string>('oauth_disconnected'),
    auditSubscriptionCreated: about('subscription_created') as OfSubscription,
    auditSubscriptionCancelled: about('subscription_cancelled') as OfSubscription,
    auditAdminAction: (userId: Id, workspaceId: string, adminAction: string, details?: JsonObject) =>
      of('admin_action', userId, workspaceId, { details, adminAction }),
  };
}
