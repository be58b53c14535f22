export type {
  ActorType,
  AuditAction,
  AuditLog,
  AuditLogMetadata,
  AuditLogQuery,
  AuditLogResponse,
  CreateAuditLogInput,
  IAuditLogService,
  RequestContext,
  TargetType,
} from './audit-log.ts';
export { createDaybook, type Daybook, type Execution, type QueueBatch } from './create-daybook.ts';
export type { Delivered } from './ingest/postpone.ts';
export type { DaybookOptions } from './options.ts';
