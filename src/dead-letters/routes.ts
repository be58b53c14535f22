import { Hono } from 'hono';
import { authenticate, type Authenticator } from '../auth/authenticate.ts';
import type { AppEnv } from '../auth/context.ts';
import type { Sql } from '../db/client.ts';
import { SYSTEM_WORKSPACE } from '../events/own-event.ts';
import { readQuery } from '../http/query.ts';
import { listDeadLetters, readLetterQuery } from './list.ts';
import { retryDeadLetter } from './retry.ts';

/** `GET /v1/dead-letters` and `POST /v1/dead-letters/{id}/retry`, with the operator's key. */
export function deadLetterRoutes(auth: Authenticator, sql: Sql): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const operator = authenticate(auth, null, true);

  routes.get('/dead-letters', operator, async (c) => {
    const query = readLetterQuery(readQuery(c, ['workspace_id', 'limit', 'cursor']));
    const workspaceId = query.workspaceId ?? SYSTEM_WORKSPACE;
    c.set('deed', { workspaceId, action: 'operator.dead_letters_listed' });
    const page = await listDeadLetters(sql, query);
    if (page.next_cursor !== null) {
      const next = new URL(c.req.url);
      next.searchParams.set('cursor', page.next_cursor);
      c.header('Link', `<${next.href}>; rel="next"`);
    }
    return c.json(page);
  });

  routes.post('/dead-letters/:id/retry', operator, async (c) => {
    const action = 'operator.dead_letter_retried';
    c.set('deed', { workspaceId: SYSTEM_WORKSPACE, action });
    readQuery(c, []);
    const retried = await retryDeadLetter(sql, c.req.param('id'), (workspaceId) =>
      c.set('deed', { workspaceId, action }),
    );
    return c.json(retried);
  });

  return routes;
}
