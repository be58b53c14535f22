import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import { RateLimiter } from './auth/rate-limit.ts';
import { RevocationList } from './auth/revocation.ts';
import { catalogueRoutes } from './catalogue/routes.ts';
import { connect, type Sql } from './db/client.ts';
import type { Env } from './env.ts';
import { canonicalIp } from './events/ip.ts';
import { ownEvent, SYSTEM_WORKSPACE } from './events/own-event.ts';
import type { AppContext, AppEnv, Deed } from './auth/context.ts';
import { BodyBudget } from './http/body-budget.ts';
import { describe } from './http/describe.ts';
import { drainUnread } from './http/drain.ts';
import { ProblemError, problemResponse, PROBLEMS } from './http/problem.ts';
import { requestLog } from './http/request-log.ts';
import { deliver } from './ingest/deliver.ts';
import { deadLetterRoutes } from './dead-letters/routes.ts';
import { createIngest, type Ingest } from './ingest/ingest.ts';
import { createPostOnce } from './ingest/post-once.ts';
import { ingestRoutes } from './ingest/routes.ts';
import type { DaybookOptions } from './options.ts';
import { operationsRoutes } from './operations/routes.ts';
import { queryRoutes } from './query/routes.ts';
import { retentionRoutes } from './retention/routes.ts';

/** What an isolate keeps for all its requests. */
export interface Isolate {
  app: Hono<AppEnv>;
  sql: Sql;
  ingest: Ingest;
}

/** Composes the features. Called once in an isolate. */
export function createIsolate(env: Env, { catalogue }: DaybookOptions = {}): Isolate {
  const sql = connect({ url: env.DATABASE_URL, localEndpoint: env.DAYBOOK_LOCAL_DATABASE });
  const ingest = createIngest(env, sql, catalogue);
  const auth = {
    env,
    revocations: new RevocationList(sql),
    rate: new RateLimiter(env.RATE_LIMIT, env.RATE_LIMIT_FIFTIES),
  };

  const budget = new BodyBudget();
  const postOnce = createPostOnce(sql, env.DAYBOOK_KEY_SECRET, ingest.database.breaker);

  const app = new Hono<AppEnv>();
  app.use(requestId());
  app.use(requestLog());
  app.use(drainUnread());
  app.use(secureHeaders());
  app.use(methodNotAllowed({ app, onMethodNotAllowed: wrongMethod }));
  app.use(recordDeed(ingest));
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/problems/:code', problemPage);
  app.route('/', operationsRoutes(auth, sql));
  app.route('/v1', ingestRoutes(auth, ingest, postOnce, budget));
  app.route('/v1', queryRoutes(auth, sql));
  app.route('/v1', retentionRoutes(auth, sql));
  app.route('/v1', deadLetterRoutes(auth, sql));
  app.route(
    '/v1',
    catalogueRoutes(auth, sql, budget, (workspaceId) => ingest.catalogues.expire(workspaceId)),
  );
  app.notFound((c) =>
    problemResponse(c, { code: 'not_found', detail: 'There is no such route. See docs/api.md.' }),
  );
  app.onError((error, c) => {
    if (error instanceof ProblemError) return problemResponse(c, error.problem);
    console.error(
      JSON.stringify({ event: 'internal_error', request_id: c.get('requestId'), ...describe(error) }),
    );
    return problemResponse(c, {
      code: 'internal_error',
      detail: 'The request failed for a reason of ours. Send it again.',
    });
  });
  return { app, sql, ingest };
}

/** Each use of the operator's key is itself an audit event, in the workspace concerned, and each change by an API key. */
function recordDeed(ingest: Ingest) {
  return async function recordDeed(c: AppContext, next: () => Promise<void>): Promise<void> {
    await next();
    const deed = c.get('deed') ?? refusedDeed(c);
    const identity = c.get('identity');
    if (deed === undefined || (identity.kind === 'key' && deed.changes === undefined)) return;
    const event = ownEvent(deed.workspaceId, {
      action: deed.action,
      actor:
        identity.kind === 'key'
          ? { type: 'api_key', id: identity.claims.id }
          : { type: 'service', id: 'operator' },
      target: { type: 'workspace', id: deed.workspaceId },
      old_value: deed.before,
      new_value: deed.changes,
      context: {
        request_id: c.get('requestId'),
        ip_address: canonicalIp(c.req.header('CF-Connecting-IP') ?? '') ?? null,
      },
      metadata: { path: new URL(c.req.url).pathname, status: c.res.status },
    });
    const [delivery] = await deliver(c, ingest, [event], 'accepted');
    // The deed is done, and its answer stands.
    if (delivery?.result !== 'accepted') {
      console.error(JSON.stringify({ event: 'deed_not_recorded', request_id: c.get('requestId') }));
    }
  };
}

/** What the operator asked for was refused before it was clear what it is: its path and status tell the rest. */
function refusedDeed(c: AppContext): Deed | undefined {
  const { status } = c.res;
  const isRefused = c.get('identity')?.kind === 'operator' && status >= 400 && status < 500;
  return isRefused ? { workspaceId: SYSTEM_WORKSPACE, action: 'operator.request_refused' } : undefined;
}

function wrongMethod(c: AppContext, allowed: string[]): Response {
  const allow = [...allowed, 'OPTIONS'].join(', ');
  if (c.req.method === 'OPTIONS') return new Response(null, { status: 204, headers: { Allow: allow } });
  return problemResponse(c, {
    code: 'method_not_allowed',
    detail: `Use one of: ${allow}.`,
    headers: { Allow: allow },
  });
}

/** What the `type` of a problem resolves to (RFC 9457, section 3.1.1). */
function problemPage(c: AppContext): Response {
  const code = c.req.param('code') ?? '';
  const entry = Object.entries(PROBLEMS).find(([known]) => known === code)?.[1];
  if (entry === undefined) throw new ProblemError({ code: 'not_found', detail: 'There is no such problem.' });
  return c.text(`${code} (HTTP ${entry.status})\n${entry.title}.\n`);
}
