import { VOCABULARIES } from '../../events/vocabularies.ts';
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
      known: VOCABULARIES.desktop.actions,
    },
    resource_type: {
      field: 'target.type',
      known: VOCABULARIES.desktop.target_types,
    },
    resource_id: 'target.id',
    metadata: 'metadata',
    details: 'metadata',
    ip_address: 'context.ip_address',
    user_agent: 'context.user_agent',
    success: {
      field: 'outcome',
      // t and f: as COPY of Postgres writes them.
      values: { 1: 'success', 0: 'failure', true: 'success', false: 'failure', t: 'success', f: 'failure' },
    },
    error_message: 'reason',
  },
  required: ['action', 'resource_type'],
  defaults: { 'actor.type': 'user' },
  without_actor: 'anonymous',
};
