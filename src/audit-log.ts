import type { AuditEvent } from './client/event.ts';
import type { ACTOR_TYPES, JsonObject } from './events/kinds.ts';
import type { VOCABULARIES } from './events/vocabularies.ts';
import type { Receipt } from './ingest/deliver.ts';
import type { EventView } from './query/event-view.ts';
import type { ListQuery } from './query/filters.ts';
import type { Page } from './query/list.ts';

/** The types of the HTTP API, from its schemas, by the names that control planes know them under. */

type BuiltIn = (typeof VOCABULARIES)[keyof typeof VOCABULARIES];

export type ActorType = (typeof ACTOR_TYPES)[number];
/** A built-in one, or the team's own. */
export type TargetType = BuiltIn['target_types'][number] | (string & {});
/** A built-in one, or the team's own. */
export type AuditAction = BuiltIn['actions'][number] | (string & {});
export type AuditLogMetadata = JsonObject;

/** What `POST /v1/events` takes. */
export type CreateAuditLogInput = AuditEvent;
/** Where a request came from. */
export type RequestContext = NonNullable<CreateAuditLogInput['context']>;
/** An event as `GET /v1/events/{id}` answers it. */
export type AuditLog = EventView;
/** What `GET /v1/events` may be asked for; times in ms since 1970. */
export type AuditLogQuery = ListQuery;
/** A page of `GET /v1/events`. */
export type AuditLogResponse = Page;

/** What a client of the API does for its application. */
export interface IAuditLogService {
  createAuditLog(input: CreateAuditLogInput): Promise<Receipt>;
  /** nothing where there is none with this id */
  getAuditLog(id: string): Promise<AuditLog | undefined>;
  queryAuditLogs(query: AuditLogQuery): Promise<AuditLogResponse>;
}
