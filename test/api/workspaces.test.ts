import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signKey } from '../../src/auth/key.ts';
import { anEvent, clientOf } from '../support/client.ts';
import { KEY_SECRET, type Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { countEvents, storedEvent } from '../support/stored.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await sharedDeployment();
});
afterAll(() => deployment.close());

const COMMITTED = '/v1/events?ack=committed';

describe('a key for one workspace', () => {
  test('writes there, whether the event names the workspace or not', async () => {
    const client = clientOf(deployment, await deployment.key({ workspaces: ['acme'] }));
    const [unnamed, named] = [anEvent(), anEvent({ workspace_id: 'acme' })];
    expect((await client.post(COMMITTED, unnamed)).body).toMatchObject({
      result: 'committed',
      workspace_id: 'acme',
    });
    expect((await client.post(COMMITTED, named)).body).toMatchObject({
      result: 'committed',
      workspace_id: 'acme',
    });
  });

  test.each(['globex', 'daybook', 'no such workspace', '*', ''])(
    'cannot write to the workspace "%s"',
    async (other) => {
      const client = clientOf(deployment, await deployment.key({ workspaces: ['acme'] }));
      await deployment.key({ workspaces: ['globex'] });
      const count = await countEvents(deployment);
      const answer = await client.post(COMMITTED, anEvent({ workspace_id: other }));
      expect([answer.status, answer.body.code]).toEqual([403, 'workspace_forbidden']);
      // The same words whether the other workspace exists or not.
      expect(answer.body.detail).toBe('The API key does not cover the workspace_id of this event.');
      expect(await countEvents(deployment)).toBe(count);
    },
  );

  test('records which key wrote an event', async () => {
    const key = await deployment.key();
    const [issued] = await deployment.database.owner.query(
      'SELECT id FROM audit.api_keys ORDER BY id DESC LIMIT 1',
    );
    const event = anEvent();
    await clientOf(deployment, key).post(COMMITTED, event);
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({ key_id: issued?.['id'] });
  });
});

describe('a key for several workspaces', () => {
  test('writes to the one that the event names', async () => {
    const client = clientOf(deployment, await deployment.key({ workspaces: ['acme', 'globex'] }));
    const event = anEvent({ workspace_id: 'globex' });
    expect((await client.post(COMMITTED, event)).body).toMatchObject({
      result: 'committed',
      workspace_id: 'globex',
    });
    expect(await storedEvent(deployment, 'globex', event.id)).toBeDefined();
    expect(await storedEvent(deployment, 'acme', event.id)).toBeUndefined();
  });

  test.each([{}, { workspace_id: null }])('needs the event to name one: %j', async (fields) => {
    const client = clientOf(deployment, await deployment.key({ workspaces: ['acme', 'globex'] }));
    const count = await countEvents(deployment);
    const answer = await client.post(COMMITTED, anEvent(fields));
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_event']);
    expect(answer.body.errors).toMatchObject([{ pointer: '/workspace_id', code: 'required' }]);
    expect(await countEvents(deployment)).toBe(count);
  });

  test('cannot write to another', async () => {
    const client = clientOf(deployment, await deployment.key({ workspaces: ['acme', 'globex'] }));
    const answer = await client.post(COMMITTED, anEvent({ workspace_id: 'initech' }));
    expect([answer.status, answer.body.code]).toEqual([403, 'workspace_forbidden']);
    expect(await countEvents(deployment, 'initech')).toBe(0);
  });
});

describe('a key for every workspace', () => {
  const anywhere = { workspaces: ['*'], scopes: ['events:write' as const] };

  test('writes to any workspace', async () => {
    const client = clientOf(deployment, await deployment.key(anywhere));
    const event = anEvent({ workspace_id: 'umbrella' });
    expect((await client.post(COMMITTED, event)).body).toMatchObject({
      result: 'committed',
      workspace_id: 'umbrella',
    });
    expect(await storedEvent(deployment, 'umbrella', event.id)).toBeDefined();
  });

  test('needs the event to name one', async () => {
    const client = clientOf(deployment, await deployment.key(anywhere));
    const answer = await client.post(COMMITTED, anEvent());
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ pointer: '/workspace_id', code: 'required' }]);
  });

  test.each([
    ['', 'too_short'],
    ['x'.repeat(129), 'too_long'],
    ['a\0b', 'nul_character'],
  ])('cannot make a workspace of a bad name', async (workspaceId, code) => {
    const client = clientOf(deployment, await deployment.key(anywhere));
    const answer = await client.post(COMMITTED, anEvent({ workspace_id: workspaceId }));
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ pointer: '/workspace_id', code }]);
  });

  test('does not cover a workspace of the name *', async () => {
    const client = clientOf(deployment, await deployment.key(anywhere));
    const answer = await client.post(COMMITTED, anEvent({ workspace_id: '*' }));
    expect([answer.status, answer.body.code]).toEqual([403, 'workspace_forbidden']);
  });

  test('reads nothing', async () => {
    const client = clientOf(deployment, await deployment.key(anywhere));
    const answer = await client.get('/v1/events?workspace_id=acme');
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
  });
});

/** A key as it would be if `keys create` let it through. */
const keyFor = (...workspaces: string[]) =>
  signKey({ id: crypto.randomUUID(), workspaces, scopes: ['events:write'] }, KEY_SECRET);

describe("the service's own workspace", () => {
  test.each([[['*']], [['daybook']], [['acme', 'daybook']]])(
    'cannot be written to with a key for %j',
    async (workspaces) => {
      const client = clientOf(deployment, await keyFor(...workspaces));
      const count = await countEvents(deployment, 'daybook');
      const answer = await client.post(COMMITTED, anEvent({ workspace_id: 'daybook' }));
      expect([answer.status, answer.body.code]).toEqual([403, 'workspace_forbidden']);
      const batch = await client.post('/v1/events/batch?ack=committed', {
        events: [anEvent({ workspace_id: 'daybook' })],
      });
      expect(batch.body).toMatchObject({
        accepted: 0,
        results: [{ problem: { code: 'workspace_forbidden' } }],
      });
      expect(await countEvents(deployment, 'daybook')).toBe(count);
    },
  );

  test('is not written to by leaving the workspace out', async () => {
    const client = clientOf(deployment, await keyFor('daybook'));
    const count = await countEvents(deployment, 'daybook');
    expect((await client.post(COMMITTED, anEvent())).status).toBe(403);
    expect(await countEvents(deployment, 'daybook')).toBe(count);
  });

  test('can be read with a key for it', async () => {
    const client = clientOf(
      deployment,
      await deployment.key({ workspaces: ['daybook'], scopes: ['events:read'] }),
    );
    expect((await client.get('/v1/events')).status).toBe(200);
  });
});
