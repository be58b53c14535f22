import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Fault } from '../../src/local/fault.ts';
import { anEvent, clientOf, type Answer, type Client } from '../support/client.ts';
import { deploy, type Deployment } from '../support/deployment.ts';
import { countEvents, storedEvent, tablesHolding } from '../support/stored.ts';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await deploy();
  client = clientOf(deployment, await deployment.key());
});
afterEach(() => {
  deployment.database.endpoint.intercept = undefined;
});
afterAll(() => deployment.close());

const newKey = () => `key-${randomUUID()}`;
/** An event whose id the server is to make. */
const body = (fields: Record<string, unknown> = {}) => anEvent({ id: undefined, ...fields });
const post = (key: string, event: unknown, sender = client, path = '/v1/events') =>
  sender.post(path, event, { 'Idempotency-Key': key });
const isReplay = ({ headers }: Answer) => headers.get('Idempotent-Replayed');
const keysHeld = async (key: string) => {
  const [row] = await deployment.database.owner.query(
    'SELECT count(*)::int AS count FROM audit.idempotency_keys WHERE key = $1',
    [key],
  );
  return row?.['count'];
};

function expectReplay(first: Answer, again: Answer): void {
  expect(again.status).toBe(first.status);
  // As text: the order of members is the first answer's too.
  expect(JSON.stringify(again.body)).toBe(JSON.stringify(first.body));
  expect(isReplay(again)).toBe('true');
}

describe('the same key with the same body', () => {
  test('gets the first answer again, and one event is stored', async () => {
    const key = newKey();
    const event = body({ metadata: { password: 'hunter2', n: 1 } });
    const count = await countEvents(deployment);
    const first = await post(key, event);
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({ result: 'committed', redacted: ['/metadata/password'] });
    expect(first.headers.get('Daybook-Ack')).toBe('committed');
    expect(isReplay(first)).toBeNull();
    expect(await storedEvent(deployment, 'acme', first.body.id)).toMatchObject({
      leaf_hash: first.body.leaf_hash,
      pending: 1,
    });
    const again = await post(key, event, client, '/v1/events?ack=committed');
    expectReplay(first, again);
    expect(again.headers.get('Daybook-Ack')).toBe('committed');
    expect(await countEvents(deployment)).toBe(count + 1);
    expect(await tablesHolding(deployment, 'hunter2')).toEqual([]);
  });

  test('is the same body in another order and with other spaces', async () => {
    const key = newKey();
    const event = body({ metadata: { a: 1, b: [1.5, { c: null, d: 'é' }] } });
    const first = await post(key, event);
    const other = {
      ...Object.fromEntries(Object.entries(event).toReversed()),
      metadata: { b: [1.5, { d: 'é', c: null }], a: 1 },
    };
    const text = JSON.stringify(other, null, 2).replace('1.5', '15e-1').replace('é', '\\u00e9');
    const again = await post(key, text);
    expect(again.body.id).toBe(first.body.id);
    expectReplay(first, again);
  });

  test('fifty times at once stores one event and gives fifty equal answers', async () => {
    const key = newKey();
    const event = body({ context: { ip_address: '203.0.113.7' } });
    const count = await countEvents(deployment);
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(key, event)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 201, body: { result: 'committed' } });
    expect(answers.filter((answer) => isReplay(answer) === null)).toHaveLength(1);
    expect(await countEvents(deployment)).toBe(count + 1);
  });

  test('of an event that was stored before is a duplicate, each time', async () => {
    const event = anEvent();
    const committed = await client.post('/v1/events?ack=committed', event);
    const key = newKey();
    const first = await post(key, event);
    expect(first.status).toBe(200);
    expect(first.body).toEqual({ ...committed.body, result: 'duplicate' });
    expect(isReplay(first)).toBeNull();
    expectReplay(first, await post(key, event));
  });

  test.each<Fault>([{ kind: 'reset-after-commit' }, { kind: 'error-after-commit' }])(
    'gets the answer that was lost after the commit ($kind)',
    async (fault) => {
      const key = newKey();
      const event = body();
      const count = await countEvents(deployment);
      deployment.database.endpoint.intercept = () => fault;
      const lost = await post(key, event);
      expect(lost).toMatchObject({ status: 503, body: { code: 'unavailable', workspace_id: 'acme' } });
      expect(lost.body.detail).toContain('the same body again with the same Idempotency-Key');
      expect(Number(lost.headers.get('Retry-After'))).toBeGreaterThan(0);
      deployment.database.endpoint.intercept = undefined;

      const again = await post(key, event);
      expect(again).toMatchObject({ status: 201, body: { id: lost.body.id, result: 'committed' } });
      expect(isReplay(again)).toBe('true');
      expect(await countEvents(deployment)).toBe(count + 1);
    },
  );

  test('stores the event when the first call never reached the database', async () => {
    const key = newKey();
    const event = body();
    deployment.database.endpoint.intercept = () => ({ kind: 'refuse' });
    expect(await post(key, event)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    deployment.database.endpoint.intercept = undefined;
    const again = await post(key, event);
    expect([again.status, isReplay(again)]).toEqual([201, null]);
  });

  test('is shared by the API keys of a workspace, and not by workspaces', async () => {
    const key = newKey();
    const event = body();
    const first = await post(key, event);
    expectReplay(first, await post(key, event, clientOf(deployment, await deployment.key())));

    const both = clientOf(deployment, await deployment.key({ workspaces: ['acme', 'globex'] }));
    const theirs = await post(key, { ...event, workspace_id: 'globex' }, both);
    expect([theirs.status, theirs.body.workspace_id, isReplay(theirs)]).toEqual([201, 'globex', null]);
    expect(theirs.body.id).not.toBe(first.body.id);
    expectReplay(theirs, await post(key, { ...event, workspace_id: 'globex' }, both));
    expectReplay(first, await post(key, event));
  });

  test('is a new event after 48 hours, though the key was not deleted yet', async () => {
    const key = newKey();
    const event = body();
    const first = await post(key, event);
    const age = (by: string) =>
      deployment.database.owner.query(
        'UPDATE audit.idempotency_keys SET created_at = created_at - $2::interval WHERE key = $1',
        [key, by],
      );
    await age('47 hours 59 minutes');
    expectReplay(first, await post(key, event));
    await age('1 minute');
    const later = await post(key, body({ reason: 'another body' }));
    expect([later.status, isReplay(later)]).toEqual([201, null]);
    expect(later.body.id).not.toBe(first.body.id);
    expect(await post(key, event)).toMatchObject({ status: 422 });
  });
});

test('an event is refused at once while too much waits for the database, and taken afterwards', async () => {
  const opened = Promise.withResolvers<undefined>();
  deployment.database.endpoint.intercept = ({ statements }) =>
    statements.some(({ query }) => query.includes('append_once')) ? opened.promise : undefined;
  // More than 4 MiB of them.
  const large = () => post(newKey(), body({ new_value: 'x'.repeat(60_000) }));
  const posts = Array.from({ length: 75 }, large);
  const refused = await Promise.race(posts);
  expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
  opened.resolve(undefined);
  const stored = (await Promise.all(posts)).filter(({ status }) => status === 201);
  expect(stored).toHaveLength(Math.floor((4 * 1024 * 1024) / 60_200));
  expect((await large()).status).toBe(201);
});

describe('the same key with another body', () => {
  test('is 422, and nothing is stored', async () => {
    const key = newKey();
    const event = body();
    const first = await post(key, event);
    const count = await countEvents(deployment);
    for (const other of [
      { ...event, reason: 'other' },
      { ...event, id: first.body.id },
    ]) {
      const answer = await post(key, other);
      expect(answer).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused', status: 422 } });
      expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
      expect(isReplay(answer)).toBeNull();
    }
    expect(await countEvents(deployment)).toBe(count);
    expectReplay(first, await post(key, event));
  });

  test('counts only once something was stored: not after an invalid event', async () => {
    const key = newKey();
    expect(await post(key, body({ action: '?' }))).toMatchObject({
      status: 422,
      body: { code: 'invalid_event' },
    });
    expect(await keysHeld(key)).toBe(0);
    expect((await post(key, body())).status).toBe(201);
  });

  test('nor after a conflict', async () => {
    const event = anEvent();
    const { leaf_hash } = (await client.post('/v1/events?ack=committed', event)).body;
    const key = newKey();
    const conflict = await post(key, { ...event, reason: 'other' });
    expect(conflict).toMatchObject({ status: 409, body: { code: 'conflict', id: event.id, leaf_hash } });
    expect(await keysHeld(key)).toBe(0);
    expect(await post(key, body())).toMatchObject({ status: 201, body: { result: 'committed' } });
  });

  test('nor after an event that the database refuses', async () => {
    const { owner } = deployment.database;
    await owner.query(`ALTER TABLE audit.events ADD CONSTRAINT mine CHECK (source_id <> 'refuse me')`);
    const key = newKey();
    const refused = await post(key, body({ source_id: 'refuse me', reason: 'private' }));
    expect(refused).toMatchObject({ status: 422, body: { code: 'refused_event' } });
    expect(JSON.stringify(refused.body)).not.toMatch(/constraint|mine|23514/);
    const logs = JSON.stringify(deployment.harness.getLogs());
    expect(logs).toContain(refused.body.id);
    expect(logs).not.toMatch(new RegExp(`private|${key}`));
    expect(await keysHeld(key)).toBe(0);
    expect((await post(key, body())).status).toBe(201);
    await owner.query('ALTER TABLE audit.events DROP CONSTRAINT mine');
  });
});

describe('the header', () => {
  test.each(['', ' ', 'two words', 'tab\there', 'é', 'x'.repeat(256)])(
    '%j is 400, and nothing is stored',
    async (key) => {
      const count = await countEvents(deployment);
      const answer = await post(key, body());
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_idempotency_key', status: 400 } });
      expect(await countEvents(deployment)).toBe(count);
    },
  );

  test.each(['x', '~'.repeat(255), `"quoted";a='1,2'`, `'; DROP TABLE audit.events; --`.replaceAll(' ', '')])(
    '%j is a key',
    async (key) => {
      const event = body();
      const first = await post(key, event);
      expect(first.status).toBe(201);
      expectReplay(first, await post(key, event));
    },
  );

  test.each(['accepted', 'queued', 'else', ''])('with ?ack=%s is 400', async (ack) => {
    const answer = await post(newKey(), body(), client, `/v1/events?ack=${ack}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_query' } });
    expect(answer.body.detail).toContain('ack=committed');
  });

  test.each(['', '?atomic=true', '?ack=committed'])('on a batch%s is 400', async (query) => {
    const count = await countEvents(deployment);
    const answer = await post(newKey(), { events: [body()] }, client, `/v1/events/batch${query}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_idempotency_key' } });
    expect(answer.body.detail).toMatch(/single events.*id/);
    expect(await countEvents(deployment)).toBe(count);
  });

  test('means nothing where nothing is posted', async () => {
    const headers = { 'Idempotency-Key': 'not valid here' };
    expect((await client.send('GET', '/v1/events', undefined, headers)).status).toBe(200);
    expect((await client.send('HEAD', '/v1/events', undefined, headers)).status).toBe(200);
    expect((await client.send('OPTIONS', '/v1/events', undefined, headers)).status).toBe(204);
  });

  test('opens no door: no key, no right to write, another workspace', async () => {
    const key = newKey();
    const event = body();
    const first = await post(key, event);
    const reader = clientOf(deployment, await deployment.key({ scopes: ['events:read'] }));
    const other = clientOf(deployment, await deployment.key({ workspaces: ['globex'] }));
    expect(await post(key, event, clientOf(deployment, undefined))).toMatchObject({
      status: 401,
      body: { code: 'missing_key' },
    });
    expect(await post(key, event, reader)).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope' },
    });
    expect(await post(key, { ...event, workspace_id: 'acme' }, other)).toMatchObject({
      status: 403,
      body: { code: 'workspace_forbidden' },
    });
    expect((await post(key, event, other)).body.id).not.toBe(first.body.id);
  });
});
