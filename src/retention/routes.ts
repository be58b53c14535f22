import { Hono } from 'hono';
import { authenticate, type Authenticator } from '../auth/authenticate.ts';
import type { Sql } from '../db/client.ts';
import { toFailure } from '../db/failure.ts';
import { SYSTEM_WORKSPACE } from '../events/own-event.ts';
import type { AppEnv } from '../auth/context.ts';
import { databaseDown } from '../http/database-down.ts';
import { runRetention } from './run.ts';
import { retentionStatus } from './status.ts';

/** `GET /v1/retention` and `POST /v1/retention/run`, with the operator's key. */
export function retentionRoutes(auth: Authenticator, sql: Sql): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const operator = authenticate(auth, null, true);

  routes.get('/retention', operator, async (c) => {
    c.set('deed', { workspaceId: SYSTEM_WORKSPACE, action: 'operator.retention_viewed' });
    return c.json(await answering(retentionStatus(sql)));
  });

  routes.post('/retention/run', operator, async (c) => {
    c.set('deed', { workspaceId: SYSTEM_WORKSPACE, action: 'operator.retention_run' });
    return c.json(await answering(runRetention(sql, 'operator')));
  });

  return routes;
}

async function answering<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw databaseDown('retention_failed', toFailure(error));
  }
}
