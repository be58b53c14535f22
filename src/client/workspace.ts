import type { JsonObject } from '../events/kinds.ts';
import type { Audit } from './audit.ts';
import type { EventContext } from './event.ts';

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

/** What an action is about where nothing is said. */
const RESOURCE: Record<AuditAction, string> = {
  login: 'session',
  logout: 'session',
  data_export_requested: 'data_export',
  data_export_completed: 'data_export',
  data_delete_requested: 'data_deletion',
  data_delete_completed: 'data_deletion',
  subscription_created: 'subscription',
  subscription_cancelled: 'subscription',
  settings_changed: 'settings',
  oauth_connected: 'oauth',
  oauth_disconnected: 'oauth',
  admin_action: 'admin',
};

type Id = string | null | undefined;

/** As far as it can be stored: a login must not fail on what its client says of itself. */
function contextGiven({ ipAddress, userAgent }: WorkspaceEvent): EventContext {
  const isAddress = /^[\da-f.:]+$/i.test(ipAddress ?? '');
  return { ip_address: isAddress ? ipAddress : undefined, user_agent: userAgent?.slice(0, 2048) };
}

/** The helpers of one logger: short calls for what every product records. None of them throws or waits. */
export function workspaceHelpers(audit: Pick<Audit, 'log'>) {
  function logAuditEvent(event: WorkspaceEvent): void {
    const { workspaceId, userId, action, resource, resourceId, details, previousValue, newValue } = event;
    audit.log({
      workspace_id: workspaceId,
      action,
      actor: userId ? { type: 'user', id: userId } : { type: 'system' },
      target: { type: resource ?? RESOURCE[action] ?? 'workspace', id: resourceId },
      old_value: previousValue,
      new_value: newValue,
      metadata: details,
      context: contextGiven(event),
    });
  }
  const of = (action: AuditAction, userId: Id, workspaceId: string, rest: Partial<WorkspaceEvent> = {}) =>
    logAuditEvent({ ...rest, action, userId, workspaceId });

  return {
    logAuditEvent,
    auditLogin: (userId: Id, workspaceId: string, ipAddress?: Id, userAgent?: Id) =>
      of('login', userId, workspaceId, { ipAddress, userAgent }),
    auditLogout: (userId: Id, workspaceId: string, ipAddress?: Id, userAgent?: Id) =>
      of('logout', userId, workspaceId, { ipAddress, userAgent }),
    auditDataExport: (
      userId: Id,
      workspaceId: string,
      status: 'requested' | 'completed' = 'requested',
      details?: JsonObject,
    ) => of(`data_export_${status}`, userId, workspaceId, { details }),
    auditDataDeletion: (
      userId: Id,
      workspaceId: string,
      status: 'requested' | 'completed' = 'requested',
      details?: JsonObject,
    ) => of(`data_delete_${status}`, userId, workspaceId, { details }),
    auditSettingsChange: (
      userId: Id,
      workspaceId: string,
      setting: string,
      previousValue: unknown,
      newValue: unknown,
    ) => of('settings_changed', userId, workspaceId, { resourceId: setting, previousValue, newValue }),
    auditOAuthConnected: (userId: Id, workspaceId: string, provider: string, details?: JsonObject) =>
      of('oauth_connected', userId, workspaceId, { resourceId: provider, details }),
    auditOAuthDisconnected: (userId: Id, workspaceId: string, provider: string, details?: JsonObject) =>
      of('oauth_disconnected', userId, workspaceId, { resourceId: provider, details }),
    auditSubscriptionCreated: (userId: Id, workspaceId: string, subscriptionId?: Id, details?: JsonObject) =>
      of('subscription_created', userId, workspaceId, { resourceId: subscriptionId, details }),
    auditSubscriptionCancelled: (
      userId: Id,
      workspaceId: string,
      subscriptionId?: Id,
      details?: JsonObject,
    ) => of('subscription_cancelled', userId, workspaceId, { resourceId: subscriptionId, details }),
    auditAdminAction: (userId: Id, workspaceId: string, adminAction: string, details?: JsonObject) =>
      of('admin_action', userId, workspaceId, { details: { ...details, action: adminAction } }),
  };
}
