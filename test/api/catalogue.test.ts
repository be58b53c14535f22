import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { countEvents, storedEvent } from '../support/stored.ts';

const COMMITTED = '/v1/events?ack=committed';

let deployment: Deployment;
let operator: Client;
beforeAll(async () => {
  deployment = await sharedDeployment();
  operator = clientOf(deployment, deployment.operatorKey);
});
afterAll(() => deployment.close());

let made = 0;
/** A workspace of the test's own, with a client that writes to it and one that manages it. */
async function aWorkspace(settings: Record<string, unknown> = {}) {
  made += 1;
  const id = `catalogue-${made}`;
  const answer = await operator.post('/v1/workspaces', { id, ...settings });
  expect(answer.status).toBe(201);
  const clientFor = async (scope: 'events:write' | 'catalogue:manage') =>
    clientOf(deployment, await deployment.key({ workspaces: [id], scopes: [scope] }));
  return { id, writer: await clientFor('events:write'), manager: await clientFor('catalogue:manage') };
}

const strictTasks = { mode: 'strict', vocabularies: ['tasks'] };
const taskEvent = (fields: Record<string, unknown> = {}) =>
  anEvent({ action: 'task_created', target: { type: 'task', id: 't_1' }, ...fields });

describe('a strict workspace', () => {
  test.each(['accepted', 'queued', 'committed'])('takes what its vocabularies have (%s)', async (ack) => {
    const { id, writer } = await aWorkspace(strictTasks);
    const event = taskEvent();
    expect((await writer.post(`/v1/events?ack=${ack}`, event)).body).toMatchObject({ result: ack });
    await vi.waitFor(async () => expect(await storedEvent(deployment, id, event.id)).toBeDefined(), 10_000);
  });

  test.each([
    ['an unknown action', { action: 'task_creatd' }, '/action', 'unknown_action', '"task_created"'],
    [
      'a known one of another vocabulary',
      { action: 'LOGIN' },
      '/action',
      'unknown_action',
      'GET /v1/actions',
    ],
    ['an unknown target type', { target: { type: 'Task' } }, '/target/type', 'unknown_target_type', '"task"'],
    [
      'an unknown type of a related target',
      { related_targets: [{ type: 'reminder' }, { type: 'remindr' }] },
      '/related_targets/1/type',
      'unknown_target_type',
      '"reminder"',
    ],
  ])('refuses %s, and names the nearest', async (_what, fields, pointer, code, hint) => {
    const { id, writer } = await aWorkspace(strictTasks);
    for (const ack of ['accepted', 'queued', 'committed']) {
      const answer = await writer.post(`/v1/events?ack=${ack}`, taskEvent(fields));
      expect([answer.status, answer.body.code]).toEqual([422, 'invalid_event']);
      expect(answer.body.errors).toEqual([{ pointer, code, detail: expect.stringContaining(hint) }]);
    }
    expect(await countEvents(deployment, id)).toBe(1); // the making of the workspace
  });

  test('refuses one event of a batch, and an atomic batch as a whole', async () => {
    const { writer } = await aWorkspace(strictTasks);
    const events = [taskEvent(), taskEvent({ action: 'LOGIN' })];
    const atomic = await writer.post('/v1/events/batch?atomic=true', { events });
    expect([atomic.status, atomic.body.errors[0].pointer]).toEqual([422, '/events/1/action']);
    const batch = await writer.post('/v1/events/batch?ack=committed', { events });
    expect(batch.status).toBe(207);
    expect(batch.body.results).toMatchObject([{ result: 'committed' }, { result: 'rejected' }]);
  });

  test('holds each event of a batch to the catalogue of its own workspace', async () => {
    const [one, two] = [await aWorkspace(strictTasks), await aWorkspace()];
    const key = await deployment.key({ workspaces: [one.id, two.id], scopes: ['events:write'] });
    const events = [one.id, two.id].map((id) => taskEvent({ action: 'LOGIN', workspace_id: id }));
    const { body } = await clientOf(deployment, key).post('/v1/events/batch?ack=committed', { events });
    expect(body.results).toMatchObject([{ result: 'rejected' }, { result: 'committed' }]);
  });

  test('refuses under an Idempotency-Key too, and the key is free for what is right', async () => {
    const { writer } = await aWorkspace(strictTasks);
    const headers = { 'Idempotency-Key': 'one' };
    expect((await writer.post('/v1/events', taskEvent({ action: 'LOGIN' }), headers)).status).toBe(422);
    expect((await writer.post('/v1/events', taskEvent(), headers)).status).toBe(201);
  });

  test('without vocabularies takes its own additions only', async () => {
    const { id, writer, manager } = await aWorkspace({ mode: 'strict' });
    expect((await writer.post(COMMITTED, taskEvent())).status).toBe(422);
    const added = await manager.post('/v1/actions', { actions: ['task_created'], target_types: ['task'] });
    expect(added.body).toMatchObject({ added: 2, removed: 0, workspace_id: id, mode: 'strict' });
    expect((await writer.post(COMMITTED, taskEvent())).status).toBe(201);
  });

  test('is one from the next request on, and open again when it is told so', async () => {
    const { id, writer, manager } = await aWorkspace();
    const odd = () => taskEvent({ action: 'odd' });
    expect((await writer.post(COMMITTED, odd())).status).toBe(201);
    expect((await manager.send('PATCH', `/v1/workspaces/${id}`, strictTasks)).body).toMatchObject(
      strictTasks,
    );
    expect((await writer.post(COMMITTED, odd())).status).toBe(422);
    await manager.send('PATCH', `/v1/workspaces/${id}`, { mode: 'open' });
    expect((await writer.post(COMMITTED, odd())).status).toBe(201);
  });

  test('is known to the database where this isolate does not know it yet', async () => {
    const { id, writer } = await aWorkspace();
    expect((await writer.post(COMMITTED, taskEvent())).status).toBe(201);
    await deployment.database.owner.query(`UPDATE audit.workspaces SET mode = 'strict' WHERE id = $1`, [id]);
    const answer = await writer.post(COMMITTED, taskEvent());
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_event']);
    expect(answer.body.detail).toContain('strict');
  });
});

describe('/v1/workspaces', () => {
  test('makes a workspace once, and shows it', async () => {
    const asked = { id: 'made-once', name: 'Made', ...strictTasks };
    const first = await operator.post('/v1/workspaces', asked);
    expect([first.status, first.body]).toEqual([201, { ...asked, created_at: expect.any(String) }]);
    expect((await operator.post('/v1/workspaces', { id: 'made-once', name: 'Again' })).body).toEqual({
      ...first.body,
      name: 'Again',
    });
    expect((await operator.get('/v1/workspaces/made-once')).body).toMatchObject({ name: 'Again' });
  });

  test('lists page by page, to a key only its own', async () => {
    const { id, manager } = await aWorkspace();
    expect((await manager.get('/v1/workspaces')).body).toMatchObject({ data: [{ id }], has_more: false });
    const seen: string[] = [];
    for (let path: string | undefined = '/v1/workspaces?limit=2'; path !== undefined;) {
      const { body, headers }: Awaited<ReturnType<Client['get']>> = await operator.get(path);
      seen.push(...body.data.map((one: { id: string }) => one.id));
      const next = /^<([^>]+)>; rel="next"$/.exec(headers.get('Link') ?? '')?.[1];
      expect(body.has_more).toBe(next !== undefined);
      path = next;
    }
    expect(seen).toContain(id);
    expect(seen).toEqual([...new Set(seen)].sort());
  });

  test.each([
    [{}, '/id'],
    [{ id: '' }, '/id'],
    [{ id: '*' }, '/id'],
    [{ id: 'a\0b' }, '/id'],
    [{ id: 'x'.repeat(129) }, '/id'],
    [{ id: 'x', mode: 'closed' }, '/mode'],
    [{ id: 'x', vocabularies: ['nautical'] }, '/vocabularies/0'],
    [{ id: 'x', vocabularies: ['daybook'] }, '/vocabularies/0'],
    [{ id: 'x', vocabularies: 'tasks' }, '/vocabularies'],
    [{ id: 'x', colour: 'red' }, '/colour'],
    [{ id: 'x', name: 7 }, '/name'],
  ])('does not make one of %j', async (body, pointer) => {
    const answer = await operator.post('/v1/workspaces', body);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_body']);
    expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer }));
  });

  test('refuses what is not an object of JSON', async () => {
    expect((await operator.post('/v1/workspaces', '{')).status).toBe(400);
    expect((await operator.post('/v1/workspaces', '[]')).status).toBe(422);
    expect((await operator.post('/v1/workspaces', '{"id":"x","id":"y"}')).status).toBe(422);
    const text = { 'Content-Type': 'text/plain' };
    expect((await operator.post('/v1/workspaces', '{"id":"x"}', text)).status).toBe(415);
  });

  test('has nothing under an id that is none', async () => {
    expect((await operator.get('/v1/workspaces/nowhere')).status).toBe(404);
    expect((await operator.send('PATCH', '/v1/workspaces/nowhere', { mode: 'open' })).status).toBe(404);
    for (const id of ['x'.repeat(129), '*', '%00'])
      expect((await operator.get(`/v1/workspaces/${id}`)).status).toBe(404);
  });
});

describe('/v1/actions', () => {
  test('shows what a workspace takes, and where each term is from', async () => {
    const { id, manager } = await aWorkspace({ mode: 'strict', vocabularies: ['desktop', 'gdpr'] });
    await manager.send('PUT', '/v1/actions', {
      actions: [{ name: 'LOGIN', description: 'Someone came in' }, 'invoice.paid'],
    });
    const { body } = await operator.get(`/v1/actions?workspace_id=${id}`);
    expect(body).toMatchObject({ workspace_id: id, mode: 'strict', vocabularies: ['desktop', 'gdpr'] });
    expect(body.actions).toContainEqual({
      name: 'LOGIN',
      vocabularies: ['desktop', 'gdpr'],
      own: true,
      description: 'Someone came in',
    });
    expect(body.actions).toContainEqual({
      name: 'invoice.paid',
      vocabularies: [],
      own: true,
      description: '',
    });
    expect(body.target_types).toContainEqual({
      name: 'VEHICLE',
      vocabularies: ['gdpr'],
      own: false,
      description: '',
    });
  });

  test('PUT leaves these terms and no others, POST adds', async () => {
    const { manager } = await aWorkspace();
    expect((await manager.send('PUT', '/v1/actions', { actions: ['a', 'b'] })).body).toMatchObject({
      added: 2,
    });
    expect((await manager.post('/v1/actions', { actions: ['b', 'c'] })).body).toMatchObject({
      added: 1,
      removed: 0,
    });
    const { body } = await manager.send('PUT', '/v1/actions', { actions: ['c'] });
    expect(body).toMatchObject({ added: 0, removed: 2, actions: [{ name: 'c' }] });
  });

  test.each([
    [{ actions: ['not an action'] }, '/actions/0'],
    [{ actions: [''] }, '/actions/0'],
    [{ target_types: ['x'.repeat(129)] }, '/target_types/0'],
    [{ actions: [{ name: 'a', description: 'x'.repeat(513) }] }, '/actions/0/description'],
    [{ actions: Array.from({ length: 1001 }, (_, n) => `a${n}`) }, '/actions'],
    [{ action: ['a'] }, '/action'],
  ])('takes no terms such as these (%#)', async (body, pointer) => {
    const { manager } = await aWorkspace();
    const answer = await manager.post('/v1/actions', body);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_body']);
    expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer }));
    expect((await manager.get('/v1/actions')).body.actions).toEqual([]);
  });

  test('is of one workspace: * is none', async () => {
    for (const method of ['PUT', 'POST']) {
      const answer = await operator.send(method, '/v1/actions?workspace_id=*', { actions: ['a'] });
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_query']);
    }
  });

  test('takes a thousand terms, and not one more', async () => {
    const { manager } = await aWorkspace();
    const actions = Array.from({ length: 1000 }, (_, n) => `a${n}`);
    expect((await manager.post('/v1/actions', { actions })).body).toMatchObject({ added: 1000 });
    const more = await manager.post('/v1/actions', { target_types: ['one'] });
    expect([more.status, more.body.code]).toEqual([422, 'invalid_body']);
    expect((await manager.get('/v1/actions')).body.target_types).toEqual([]);
  });
});

const ROUTES = [
  ['GET', '/v1/workspaces'],
  ['POST', '/v1/workspaces'],
  ['GET', '/v1/workspaces/acme'],
  ['PATCH', '/v1/workspaces/acme'],
  ['GET', '/v1/actions?workspace_id=acme'],
  ['PUT', '/v1/actions?workspace_id=acme'],
  ['POST', '/v1/actions?workspace_id=acme'],
] as const;

describe('administration of the catalogue', () => {
  const bodyOf = (method: string) => (method === 'GET' ? undefined : {});

  test.each(ROUTES)('needs a key: %s %s', async (method, path) => {
    const answer = await clientOf(deployment, undefined).send(method, path, bodyOf(method));
    expect([answer.status, answer.body.code]).toEqual([401, 'missing_key']);
  });

  test.each(ROUTES)('needs the scope catalogue:manage: %s %s', async (method, path) => {
    const client = clientOf(deployment, await deployment.key());
    const answer = await client.send(method, path, bodyOf(method));
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
  });

  test.each(ROUTES.filter(([, path]) => path.includes('acme')))(
    'is of the key’s own workspaces: %s %s',
    async (method, path) => {
      const { manager } = await aWorkspace();
      const answer = await manager.send(method, path, bodyOf(method));
      expect([answer.status, answer.body.code]).toEqual([403, 'workspace_forbidden']);
    },
  );

  test('of making a workspace is the operator’s', async () => {
    const { manager } = await aWorkspace();
    expect((await manager.post('/v1/workspaces', { id: 'mine' })).status).toBe(403);
  });

  test('leaves an audit event of each change, by whoever made it, with what was there before', async () => {
    const { id, manager } = await aWorkspace(strictTasks);
    await manager.send('PUT', '/v1/actions', { actions: ['x', 'y'], target_types: ['t'] });
    await manager.send('PUT', '/v1/actions', { actions: ['x'] });
    await manager.send('PATCH', `/v1/workspaces/${id}`, { mode: 'open' });
    await manager.get('/v1/actions');
    await operator.get(`/v1/actions?workspace_id=${id}`);
    const query = `SELECT action, actor_type, old_value, new_value FROM audit.events WHERE workspace_id = $1 ORDER BY received_at, id`;
    const told = (actions: string[], targetTypes: string[]) => ({
      action_count: actions.length,
      actions,
      target_type_count: targetTypes.length,
      target_types: targetTypes,
    });
    await vi.waitFor(async () =>
      expect(await deployment.database.owner.query(query, [id])).toEqual([
        { action: 'workspace.changed', actor_type: 'service', old_value: null, new_value: strictTasks },
        {
          action: 'catalogue.changed',
          actor_type: 'api_key',
          old_value: null,
          new_value: { replaces: true, ...told(['x', 'y'], ['t']) },
        },
        {
          action: 'catalogue.changed',
          actor_type: 'api_key',
          old_value: told(['y'], ['t']),
          new_value: { replaces: true, ...told(['x'], []) },
        },
        {
          action: 'workspace.changed',
          actor_type: 'api_key',
          old_value: { name: '', ...strictTasks },
          new_value: { mode: 'open' },
        },
        {
          action: 'operator.catalogue_viewed',
          actor_type: 'service',
          old_value: null,
          new_value: null,
        },
      ]),
    );
  });

  test('leaves no audit event of a change where nothing changed', async () => {
    const { id, manager } = await aWorkspace(strictTasks);
    const terms = { actions: [{ name: 'x', description: 'an x' }] };
    await manager.send('PUT', '/v1/actions', terms);
    await manager.send('PUT', '/v1/actions', terms);
    await manager.post('/v1/actions', terms);
    await manager.send('PATCH', `/v1/workspaces/${id}`, { mode: 'strict', vocabularies: ['tasks'] });
    await operator.send('PATCH', `/v1/workspaces/${id}`, { mode: 'strict' });
    await manager.send('PUT', '/v1/actions', { actions: ['x'] });
    const query = `SELECT action, actor_type FROM audit.events WHERE workspace_id = $1 ORDER BY received_at, id`;
    await vi.waitFor(async () =>
      expect(await deployment.database.owner.query(query, [id])).toEqual([
        { action: 'workspace.changed', actor_type: 'service' },
        { action: 'catalogue.changed', actor_type: 'api_key' },
        // Each use of the operator's key is told.
        { action: 'operator.workspace_viewed', actor_type: 'service' },
        { action: 'catalogue.changed', actor_type: 'api_key' },
      ]),
    );
  });

  test('leaves an audit event of the largest change, which tells the number and some of the names', async () => {
    const { id, manager } = await aWorkspace();
    const types = (mark: string) =>
      Array.from({ length: 500 }, (_, n) => `${mark}${n}`.padEnd(128, '\u0001'));
    const actions = (mark: string) => Array.from({ length: 500 }, (_, n) => `${mark}${n}`.padEnd(128, 'x'));
    for (const mark of ['a', 'b'])
      await manager.send('PUT', '/v1/actions', { actions: actions(mark), target_types: types(mark) });
    const query = `SELECT old_value, new_value FROM audit.events WHERE workspace_id = $1 AND action = 'catalogue.changed'`;
    await vi.waitFor(async () =>
      expect(await deployment.database.owner.query(query, [id])).toContainEqual({
        old_value: expect.objectContaining({ action_count: 500, target_type_count: 500 }),
        new_value: expect.objectContaining({ action_count: 500, target_type_count: 500 }),
      }),
    );
  });

  test('leaves an audit event of the service where what the operator asked for was refused', async () => {
    const answers = [
      await operator.post('/v1/workspaces', { id: '' }),
      await operator.send('PATCH', '/v1/workspaces/acme', { mode: 'loose' }),
      await operator.send('PUT', '/v1/actions?workspace_id=acme', { verbs: [] }),
    ];
    const query = `SELECT action, metadata FROM audit.events WHERE workspace_id = 'daybook' AND request_id = ANY($1)
      ORDER BY metadata ->> 'path'`;
    const ids = answers.map(({ headers }) => headers.get('X-Request-Id'));
    await vi.waitFor(async () =>
      expect(await deployment.database.owner.query(query, [ids])).toEqual(
        ['/v1/actions', '/v1/workspaces', '/v1/workspaces/acme'].map((path) => ({
          action: 'operator.request_refused',
          metadata: { path, status: 422 },
        })),
      ),
    );
  });
});
