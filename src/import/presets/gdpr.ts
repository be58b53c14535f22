import { VOCABULARIES } from '../../events/vocabularies.ts';
import type { MappingInput } from '../mapping.ts';

/**
 * The GDPR `audit_log`, in Postgres, partitioned or not. Without a user: before a login, or once the user is deleted,
 * whose e-mail stays.
 */
export const gdpr: MappingInput = {
  name: 'gdpr',
  tables: ['audit_log'],
  columns: {
    id: 'source_id',
    user_id: 'actor.id',
    user_email: 'actor.email',
    action: {
      field: 'action',
      known: VOCABULARIES.gdpr.actions,
    },
    resource_type: {
      field: 'target.type',
      known: VOCABULARIES.gdpr.target_types,
    },
    resource_id: 'target.id',
    old_value: 'old_value',
    new_value: 'new_value',
    ip_address: 'context.ip_address',
    user_agent: 'context.user_agent',
    metadata: 'metadata',
    created_at: 'created_at',
  },
  required: ['action', 'resource_type', 'created_at'],
  defaults: { 'actor.type': 'user' },
  without_actor: 'anonymous',
};
