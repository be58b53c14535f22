import { Hono } from 'hono';
import { authenticate, type Authenticator } from '../auth/authenticate.ts';
import { bodyOwner } from '../auth/body-owner.ts';
import type { AppContext, AppEnv, Deed } from '../auth/context.ts';
import { workspaceOf } from '../auth/workspace-of.ts';
import type { Sql } from '../db/client.ts';
import { SYSTEM_WORKSPACE } from '../events/own-event.ts';
import { isWorkspaceId } from '../events/workspace-id.ts';
import type { BodyBudget } from '../http/body-budget.ts';
import { ProblemError } from '../http/problem.ts';
import { readQuery } from '../http/query.ts';
import { receiveBody } from '../http/receive-body.ts';
import { readBody } from './read-body.ts';
import { getCatalogue, ownTerms, putTerms, removedBy, summaryOf } from './terms.ts';
import {
  getWorkspace,
  listWorkspaces,
  newWorkspace,
  putWorkspace,
  stateOf,
  workspaceChanges,
  type WorkspaceChanges,
} from './workspaces.ts';

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_LIMIT = 200;

/**
 * `/v1/workspaces` and `/v1/actions`, with the operator's key, or one of scope `catalogue:manage` for its own workspaces.
 * @param budget of bodies, which other routes share
 * @param onChange told of a workspace that was changed
 */
export function catalogueRoutes(
  auth: Authenticator,
  sql: Sql,
  budget: BodyBudget,
  onChange: (workspaceId: string) => void,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const operator = authenticate(auth, null, true);
  const manager = authenticate(auth, 'catalogue:manage', true);
  const body = receiveBody({
    budget,
    keyOf: bodyOwner,
    what: 'The body',
    maxBytes: MAX_BODY_BYTES,
    mediaTypes: ['application/json'],
  });

  routes.get('/workspaces', manager, async (c) => {
    const { limit = '50', cursor } = readQuery(c, ['limit', 'cursor']);
    if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > MAX_LIMIT)
      throw new ProblemError({ code: 'invalid_query', detail: `limit must be 1 to ${MAX_LIMIT}.` });
    if (cursor !== undefined && !isWorkspaceId(cursor))
      throw new ProblemError({ code: 'invalid_cursor', detail: 'Use next_cursor of the page before.' });
    c.set('deed', { workspaceId: SYSTEM_WORKSPACE, action: 'operator.workspaces_listed' });
    const identity = c.get('identity');
    const among = identity.kind === 'key' ? identity.claims.workspaces : undefined;
    const page = await listWorkspaces(sql, { after: cursor, limit: Number(limit), among });
    if (page.next_cursor !== null) {
      const next = new URL(c.req.url);
      next.searchParams.set('cursor', page.next_cursor);
      c.header('Link', `<${next.href}>; rel="next"`);
    }
    return c.json(page);
  });

  routes.post('/workspaces', operator, body, async (c) => {
    readQuery(c, []);
    const { id, ...changes } = await readBody(c, newWorkspace);
    const { created, workspace } = await change(c, id, changes, false);
    return c.json(workspace, created ? 201 : 200);
  });

  routes.get('/workspaces/:id', manager, async (c) => {
    readQuery(c, []);
    const id = workspaceOf(c, possible(c.req.param('id')));
    c.set('deed', { workspaceId: id, action: 'operator.workspace_viewed' });
    return c.json(found(await getWorkspace(sql, id)));
  });

  routes.patch('/workspaces/:id', manager, body, async (c) => {
    readQuery(c, []);
    const id = workspaceOf(c, possible(c.req.param('id')));
    const changes = await readBody(c, workspaceChanges);
    const { workspace } = await change(c, id, changes, true);
    return c.json(workspace);
  });

  routes.get('/actions', manager, async (c) => {
    const workspaceId = workspaceOf(c, readQuery(c, ['workspace_id']).workspace_id);
    c.set('deed', { workspaceId, action: 'operator.catalogue_viewed' });
    return c.json(await getCatalogue(sql, workspaceId));
  });

  // PUT leaves the workspace with these terms of its own and no others; POST adds them.
  routes.on(['POST', 'PUT'], '/actions', manager, body, async (c) => {
    const workspaceId = workspaceOf(c, readQuery(c, ['workspace_id']).workspace_id);
    const terms = await readBody(c, ownTerms);
    const replace = c.req.method === 'PUT';
    const deed: Deed = { workspaceId, action: 'catalogue.changed', changes: summaryOf(terms, replace) };
    c.set('deed', deed);
    const { changed, added, removed, removed_terms: gone } = await putTerms(sql, workspaceId, terms, replace);
    c.set(
      'deed',
      changed ? { ...deed, before: removedBy(gone) } : { workspaceId, action: 'operator.catalogue_viewed' },
    );
    onChange(workspaceId);
    return c.json({ added, removed, ...(await getCatalogue(sql, workspaceId)) });
  });

  return routes;

  async function change(c: AppContext, id: string, changes: WorkspaceChanges, mustExist: boolean) {
    const deed: Deed = { workspaceId: id, action: 'workspace.changed', changes };
    c.set('deed', deed);
    if (mustExist) found(await getWorkspace(sql, id));
    const put = await putWorkspace(sql, id, changes);
    const before = stateOf(put.before);
    // What changed nothing showed the workspace, and no more.
    c.set(
      'deed',
      JSON.stringify(before) === JSON.stringify(stateOf(put.workspace))
        ? { workspaceId: id, action: 'operator.workspace_viewed' }
        : { ...deed, before },
    );
    onChange(id);
    return put;
  }
}

/** The id of a path, where a workspace may have it. */
function possible(id: string): string {
  return found(isWorkspaceId(id) ? id : undefined);
}

function found<T>(workspace: T | undefined): T {
  if (workspace !== undefined) return workspace;
  throw new ProblemError({
    code: 'not_found',
    detail: 'There is no such workspace. The operator makes one by POST /v1/workspaces.',
  });
}
