import type { MappingInput } from '../mapping.ts';

/** The task manager's events, from any database. Without a user it was the system; the action tells a missing resource type. */
export const tasks: MappingInput = {
  name: 'tasks',
  tables: ['audit_events', 'audit_log'],
  columns: {
    id: 'source_id',
    action_type: 'action',
    user_id: 'actor.id',
    timestamp: 'created_at',
    resource_type: 'target.type',
    resource_id: 'target.id',
    metadata: 'metadata',
  },
  required: ['action_type', 'timestamp'],
  defaults: {
    'actor.type': 'user',
    'target.type': {
      by_action: {
        task_created: 'task',
        task_updated: 'task',
        task_deleted: 'task',
        attachment_uploaded: 'attachment',
        attachment_deleted: 'attachment',
        reminder_sent: 'reminder',
      },
    },
  },
  without_actor: 'system',
};
