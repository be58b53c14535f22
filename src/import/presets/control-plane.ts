import { VOCABULARIES } from '../../events/vocabularies.ts';
import type { MappingInput } from '../mapping.ts';

/** `control_plane.audit_logs`, in Postgres. The target's id is required, as it was there. */
export const controlPlane: MappingInput = {
  name: 'control-plane',
  tables: ['control_plane.audit_logs', 'audit_logs'],
  columns: {
    id: 'source_id',
    actor_id: 'actor.id',
    actor_type: { field: 'actor.type', known: VOCABULARIES['control-plane'].actor_types },
    action: 'action',
    target_type: 'target.type',
    target_id: 'target.id',
    metadata: 'metadata',
    ip_address: 'context.ip_address',
    user_agent: 'context.user_agent',
    created_at: 'created_at',
  },
  required: ['actor_id', 'actor_type', 'action', 'target_type', 'target_id', 'created_at'],
};
