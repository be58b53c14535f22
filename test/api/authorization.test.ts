import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { countEvents, storedEvent } from '../support/stored.ts';

let deployment: Deployment;
let operator: Client;

beforeAll(async () => {
  deployment = await sharedDeployment();
  operator = clientOf(deployment, deployment.operatorKey);
});
afterAll(() => deployment.close());

const WRITES: [string, unknown][] = [
  ['/v1/events?ack=committed', anEvent()],
  ['/v1/events/batch?ack=committed', { events: [anEvent()] }],
];

describe('the scope of a key', () => {
  test.each(WRITES)('must be events:write for POST %s', async (path, body) => {
    const client = clientOf(deployment, await deployment.key({ scopes: ['events:read', 'keys:manage'] }));
    const answer = await client.post(path, body);
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
    expect(answer.body.detail).toContain('events:write');
    expect(await countEvents(deployment, 'acme')).toBe(0);
  });

  test.each(['/v1/events', `/v1/events/${anEvent().id}`])('must be events:read for GET %s', async (path) => {
    const client = clientOf(deployment, await deployment.key({ scopes: ['events:write', 'privacy:manage'] }));
    const answer = await client.get(path);
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
    expect(answer.body.detail).toContain('events:read');
  });

  test('is looked at before the body', async () => {
    const client = clientOf(deployment, await deployment.key({ scopes: ['events:read'] }));
    expect((await client.post('/v1/events', 'no JSON')).status).toBe(403);
  });

  test.each([
    ['GET', '/v1/retention'],
    ['POST', '/v1/retention/run'],
  ])('is never enough for %s %s', async (method, path) => {
    const scopes = [
      'events:write',
      'events:read',
      'catalogue:manage',
      'keys:manage',
      'privacy:manage',
    ] as const;
    const answer = await clientOf(deployment, await deployment.key({ scopes: [...scopes] })).send(
      method,
      path,
    );
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
    const [row] = await deployment.database.owner.query(
      'SELECT count(*)::int AS runs FROM audit.retention_runs',
    );
    expect(row).toEqual({ runs: 0 });
  });
});

describe('the workspace of a key', () => {
  test('is the only one it reads', async () => {
    const event = anEvent();
    await clientOf(deployment, await deployment.key({ workspaces: ['globex'] })).post(
      '/v1/events?ack=committed',
      event,
    );
    const stranger = clientOf(deployment, await deployment.key({ workspaces: ['acme'] }));
    for (const path of ['/v1/events', `/v1/events/${event.id}`]) {
      const answer = await stranger.get(`${path}?workspace_id=globex`);
      expect([answer.status, answer.body.code]).toEqual([403, 'workspace_forbidden']);
      const unknown = await stranger.get(`${path}?workspace_id=nowhere`);
      expect({ ...unknown.body, request_id: 0 }).toEqual({ ...answer.body, request_id: 0 });
    }
    expect((await stranger.get(`/v1/events/${event.id}`)).status).toBe(404);
  });

  test('must be named when there are several', async () => {
    const client = clientOf(deployment, await deployment.key({ workspaces: ['acme', 'globex'] }));
    for (const path of ['/v1/events', `/v1/events/${anEvent().id}`]) {
      const answer = await client.get(path);
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_query']);
      expect(answer.body.detail).toContain('workspace_id');
    }
    const answer = await client.get('/v1/events?workspace_id=globex');
    expect(answer.status).toBe(200);
    expect(new Set(answer.body.data.map((event: { workspace_id: string }) => event.workspace_id))).toEqual(
      new Set(['globex']),
    );
  });
});

describe("the operator's key", () => {
  /** What the log says of the operator in a workspace, oldest first. */
  async function deeds(workspaceId: string) {
    return deployment.database.owner.query(
      `SELECT id, action, actor_type, actor_id, target_type, target_id, request_id, key_id, metadata FROM audit.events
       WHERE workspace_id = $1 AND actor_id = 'operator' ORDER BY id`,
      [workspaceId],
    );
  }

  test.each(WRITES)('cannot write events by POST %s', async (path, body) => {
    const answer = await operator.post(path, body);
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
  });

  test('needs to say which workspace it reads', async () => {
    for (const path of ['/v1/events', `/v1/events/${anEvent().id}`]) {
      const answer = await operator.get(path);
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_query']);
    }
  });

  test.each(['', 'a%00b'])('cannot read the workspace "%s"', async (workspace) => {
    for (const path of ['/v1/events', `/v1/events/${anEvent().id}`]) {
      const answer = await operator.get(`${path}?workspace_id=${workspace}`);
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_query']);
    }
  });

  test('reads a workspace, which is told of each reading', async () => {
    const event = anEvent();
    await clientOf(deployment, await deployment.key({ workspaces: ['initech'] })).post(
      '/v1/events?ack=committed',
      event,
    );
    const list = await operator.get('/v1/events?workspace_id=initech', { 'X-Request-Id': 'list-1' });
    expect(list.body.data).toMatchObject([{ id: event.id }]);
    const one = await operator.get(`/v1/events/${event.id}?workspace_id=initech`, {
      'X-Request-Id': 'get-1',
    });
    expect(one.body).toMatchObject({ id: event.id });
    await vi.waitFor(async () =>
      expect(await deeds('initech')).toMatchObject([
        {
          action: 'operator.events_listed',
          actor_type: 'service',
          target_id: 'initech',
          request_id: 'list-1',
          key_id: null,
        },
        { action: 'operator.event_read', request_id: 'get-1' },
      ]),
    );
  });

  test('records where it was used from', async () => {
    await operator.get('/v1/events?workspace_id=hooli', { 'CF-Connecting-IP': '203.0.113.7' });
    await vi.waitFor(async () => expect(await deeds('hooli')).toHaveLength(1));
    const [deed] = await deeds('hooli');
    expect(await storedEvent(deployment, 'hooli', deed?.['id'])).toMatchObject({
      ip_address: '203.0.113.7',
    });
  });

  test('leaves a record of what failed too', async () => {
    await operator.get(`/v1/events/${anEvent().id}?workspace_id=umbrella`);
    await operator.get('/v1/events?workspace_id=umbrella&cursor=x');
    await vi.waitFor(async () =>
      expect(await deeds('umbrella')).toMatchObject([
        { action: 'operator.event_read', metadata: { status: 404 } },
        { action: 'operator.events_listed', metadata: { status: 400 } },
      ]),
    );
  });

  test('runs retention and looks at it, and the service keeps a record of that', async () => {
    const run = await operator.send('POST', '/v1/retention/run');
    expect(run.status).toBe(200);
    expect(run.body).toMatchObject({ run_id: expect.any(String), steps: [], postponed: [] });
    const status = await operator.get('/v1/retention');
    expect(status.status).toBe(200);
    expect(status.body).toMatchObject({ overdue: false, policy: { ip_retention_hours: 2160 } });
    expect(status.body.runs).toMatchObject([{ id: run.body.run_id, trigger: 'operator' }]);
    await vi.waitFor(async () =>
      expect((await deeds('daybook')).slice(-2).map(({ action }) => action)).toEqual([
        'operator.retention_run',
        'operator.retention_viewed',
      ]),
    );
  });
});
