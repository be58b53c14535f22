import type { MappingInput } from '../mapping.ts';

/** The workspace product's `audit_logs`, in Postgres, whose rows name their workspaces. Without a user it was the system. */
export const workspace: MappingInput = {
  name: 'workspace',
  tables: ['audit_logs'],
  columns: {
    id: 'source_id',
    workspace_id: 'workspace_id',
    user_id: 'actor.id',
    action: 'action',
    resource: 'target.type',
    resource_id: 'target.id',
    details: 'metadata',
    previous_value: 'old_value',
    new_value: 'new_value',
    ip_address: 'context.ip_address',
    user_agent: 'context.user_agent',
    created_at: 'created_at',
  },
  required: ['action', 'created_at'],
  defaults: {
    'actor.type': 'user',
    'target.type': {
      by_action: {
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
      },
      otherwise: 'workspace',
    },
  },
  without_actor: 'system',
};
