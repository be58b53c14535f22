import type { MappingInput } from '../mapping.ts';

/**
 * The desktop app's `audit_logs`, in SQLite or Postgres, by either of the two definitions that drifted apart: the one with
 * `details` and without constraints on the resource, and the other. Actions are those of both.
 */
export const desktop: MappingInput = {
  name: 'desktop',
  tables: ['audit_logs'],
  columns: {
    id: 'source_id',
    timestamp: 'created_at',
    created_at: 'created_at',
    user_id: 'actor.id',
    session_id: 'context.session_id',
    action: {
      field: 'action',
      known: [
        'LOGIN',
        'LOGOUT',
        'LOGIN_FAILED',
        'SESSION_REFRESH',
        'DATA_ACCESS',
        'DATA_EXPORT',
        'DATA_DELETE',
        'TRANSACTION_CREATE',
        'TRANSACTION_UPDATE',
        'TRANSACTION_DELETE',
        'CONTACT_CREATE',
        'CONTACT_UPDATE',
        'CONTACT_DELETE',
        'SETTINGS_CHANGE',
        'SETTINGS_UPDATE',
        'MAILBOX_CONNECT',
        'MAILBOX_DISCONNECT',
        'EXPORT_START',
        'EXPORT_COMPLETE',
        'EXPORT_FAIL',
        'TERMS_ACCEPT',
      ],
    },
    resource_type: {
      field: 'target.type',
      known: ['USER', 'SESSION', 'TRANSACTION', 'CONTACT', 'COMMUNICATION', 'EXPORT', 'MAILBOX', 'SETTINGS'],
    },
    resource_id: 'target.id',
    metadata: 'metadata',
    details: 'metadata',
    ip_address: 'context.ip_address',
    user_agent: 'context.user_agent',
    success: { field: 'outcome', values: { 1: 'success', 0: 'failure', true: 'success', false: 'failure' } },
    error_message: 'reason',
  },
  required: ['action', 'resource_type'],
  defaults: { 'actor.type': 'user' },
  without_actor: 'anonymous',
};
