import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { authenticate, type Authenticator } from '../auth/authenticate.ts';
import { MAX_EVENT_BYTES } from '../events/limits.ts';
import type { AppEnv } from '../auth/context.ts';
import { ProblemError } from '../http/problem.ts';
import { postBatch } from './post-batch.ts';
import { postEvent } from './post-event.ts';
import type { PostOnce } from './post-once.ts';
import type { Ingest } from './ingest.ts';
import { BATCH_MAX_BYTES } from './read-batch.ts';

/** `POST /v1/events` and `POST /v1/events/batch`. */
export function ingestRoutes(auth: Authenticator, ingest: Ingest, postOnce: PostOnce): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const writing = authenticate(auth, 'events:write', false);
  routes.post('/events', writing, upTo(MAX_EVENT_BYTES, 'An event'), (c) => postEvent(c, ingest, postOnce));
  routes.post('/events/batch', writing, upTo(BATCH_MAX_BYTES, 'A batch'), (c) => postBatch(c, ingest));
  return routes;
}

function upTo(maxSize: number, what: string) {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw new ProblemError({
        code: 'too_large',
        detail: `${what} may have ${maxSize} bytes. Nothing was stored.`,
      });
    },
  });
}
