import type { ActorType } from './kinds.ts';

/** The names that some system uses for its events. */
export interface Vocabulary {
  actions: readonly string[];
  target_types: readonly string[];
  /** those its system has; not what a strict workspace is held to, which is actions and target types */
  actor_types?: readonly ActorType[];
}

/**
 * The built-in vocabularies, exactly as their systems send them. A strict workspace takes those chosen for it; the database
 * has the same (migrations/0009_catalogue.sql).
 */
export const VOCABULARIES = {
  desktop: {
    actions: [
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
    target_types: [
      'USER',
      'SESSION',
      'TRANSACTION',
      'CONTACT',
      'COMMUNICATION',
      'EXPORT',
      'MAILBOX',
      'SETTINGS',
    ],
  },
  /** Its actions are each workspace's own. */
  'control-plane': {
    actions: [],
    target_types: ['project', 'user', 'api_key', 'secret', 'organization', 'team'],
    actor_types: ['user', 'system', 'api_key'],
  },
  gdpr: {
    actions: [
      'CREATE',
      'UPDATE',
      'DELETE',
      'LOGIN',
      'LOGOUT',
      'EXPORT',
      'PERMISSION_DENIED',
      'PASSWORD_CHANGE',
      'ROLE_CHANGE',
    ],
    target_types: ['MEMBER', 'INCIDENT', 'VEHICLE', 'EQUIPMENT', 'QUALIFICATION', 'USER', 'SYSTEM'],
  },
  tasks: {
    actions: [
      'task_created',
      'task_updated',
      'task_deleted',
      'attachment_uploaded',
      'attachment_deleted',
      'reminder_sent',
    ],
    target_types: ['task', 'attachment', 'reminder'],
  },
  /** Its target types are those that the client's named helpers send. */
  workspace: {
    actions: [
      'login',
      'logout',
      'data_export_requested',
      'data_export_completed',
      'data_delete_requested',
      'data_delete_completed',
      'subscription_created',
      'subscription_cancelled',
      'settings_changed',
      'oauth_connected',
      'oauth_disconnected',
      'admin_action',
    ],
    target_types: [
      'workspace',
      'session',
      'data_export',
      'data_deletion',
      'subscription',
      'settings',
      'oauth',
      'admin',
    ],
  },
} as const satisfies Record<string, Vocabulary>;

export type VocabularyName = keyof typeof VOCABULARIES;

export const VOCABULARY_NAMES = Object.keys(VOCABULARIES) as VocabularyName[];
