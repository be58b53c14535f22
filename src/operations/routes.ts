import { Hono } from 'hono';
import { authenticate, type Authenticator } from '../auth/authenticate.ts';
import type { AppEnv } from '../auth/context.ts';
import type { Sql } from '../db/client.ts';
import { EXPOSITION_TYPE } from './exposition.ts';
import { metrics } from './metrics.ts';
import { Readiness } from './readiness.ts';

/** s; as long as an answer is kept */
const RETRY_AFTER = 10;

/** `GET /readyz` for anybody, `GET /metrics` with the operator's key. */
export function operationsRoutes(auth: Authenticator, sql: Sql): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const readiness = new Readiness(sql, auth.env.QUEUE, auth.revocations);

  routes.get('/readyz', async (c) => {
    const { ready, checks } = await readiness.check((promise) => c.executionCtx.waitUntil(promise));
    c.header('Cache-Control', 'no-store');
    if (ready) return c.json({ status: 'ready', checks });
    c.header('Retry-After', String(RETRY_AFTER));
    return c.json({ status: 'not_ready', checks }, 503);
  });

  // No deed: an audit event for each scrape would make every scrape a write.
  routes.get('/metrics', authenticate(auth, null, true), async (c) => {
    const text = await metrics(sql, auth.env.QUEUE);
    return c.body(text, 200, { 'Content-Type': EXPOSITION_TYPE, 'Cache-Control': 'no-store' });
  });

  return routes;
}
