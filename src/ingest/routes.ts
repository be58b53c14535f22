import { Hono } from 'hono';
import { authenticate, type Authenticator } from '../auth/authenticate.ts';
import { bodyOwner } from '../auth/body-owner.ts';
import { MAX_EVENT_BYTES } from '../events/limits.ts';
import type { AppEnv } from '../auth/context.ts';
import type { BodyBudget } from '../http/body-budget.ts';
import { receiveBody } from '../http/receive-body.ts';
import { postBatch } from './post-batch.ts';
import { postEvent } from './post-event.ts';
import type { PostOnce } from './post-once.ts';
import type { Ingest } from './ingest.ts';
import { BATCH_MAX_BYTES } from './read-batch.ts';

const JSON_ONLY = ['application/json'];
const JSON_OR_LINES = [...JSON_ONLY, 'application/x-ndjson'];

/**
 * `POST /v1/events` and `POST /v1/events/batch`.
 * @param budget of bodies, which other routes share
 */
export function ingestRoutes(
  auth: Authenticator,
  ingest: Ingest,
  postOnce: PostOnce,
  budget: BodyBudget,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const writing = authenticate(auth, 'events:write', false);
  const shared = { budget, keyOf: bodyOwner };
  const event = { what: 'An event', maxBytes: MAX_EVENT_BYTES, mediaTypes: JSON_ONLY };
  const batch = { what: 'A batch', maxBytes: BATCH_MAX_BYTES, mediaTypes: JSON_OR_LINES };
  routes.post('/events', writing, receiveBody({ ...shared, ...event }), (c) =>
    postEvent(c, ingest, postOnce),
  );
  routes.post('/events/batch', writing, receiveBody({ ...shared, ...batch }), (c) => postBatch(c, ingest));
  return routes;
}
