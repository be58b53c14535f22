import { Hono } from 'hono';
import { authenticate, type Authenticator } from '../auth/authenticate.ts';
import type { Sql } from '../db/client.ts';
import type { AppEnv } from '../auth/context.ts';
import { workspaceOf } from '../auth/workspace-of.ts';
import { ProblemError } from '../http/problem.ts';
import { readQuery } from '../http/query.ts';
import { parseListQuery } from './filters.ts';
import { getEvent } from './get.ts';
import { listEvents } from './list.ts';

/** `GET /v1/events` and `GET /v1/events/{id}`. */
export function queryRoutes(auth: Authenticator, sql: Sql): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const reader = authenticate(auth, 'events:read', true);

  routes.get('/events', reader, async (c) => {
    const query = parseListQuery(new URL(c.req.url).searchParams);
    const workspaceId = workspaceOf(c, query.workspace_id);
    c.set('deed', { workspaceId, action: 'operator.events_listed' });
    const page = await listEvents(sql, workspaceId, query);
    if (page.next_cursor !== null) {
      const next = new URL(c.req.url);
      next.searchParams.set('cursor', page.next_cursor);
      c.header('Link', `<${next.href}>; rel="next"`);
    }
    return c.json(page);
  });

  // Not /events/batch, which is for POST: there the answer is 405.
  routes.get('/events/:id{(?!batch$)[^/]+}', reader, async (c) => {
    const workspaceId = workspaceOf(c, readQuery(c, ['workspace_id']).workspace_id);
    c.set('deed', { workspaceId, action: 'operator.event_read' });
    const event = await getEvent(sql, workspaceId, c.req.param('id'));
    if (event === undefined)
      throw new ProblemError({ code: 'not_found', detail: 'This workspace has no event with this id.' });
    return c.json(event);
  });

  return routes;
}
