import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { countEvents, storedEvent } from '../support/stored.ts';

const ATOMIC = '/v1/events/batch?atomic=true';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

describe('an atomic batch', () => {
  test.each([ATOMIC, `${ATOMIC}&ack=committed`])('is stored whole before the answer to %s', async (path) => {
    const events = [anEvent(), anEvent(), anEvent()];
    const count = await countEvents(deployment);
    const answer = await client.post(path, { events });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('Daybook-Ack')).toBe('committed');
    expect(answer.body).toMatchObject({
      accepted: 3,
      rejected: 0,
      results: events.map(() => ({ result: 'committed' })),
    });
    expect(await countEvents(deployment)).toBe(count + 3);
  });

  test('sent again is all duplicates', async () => {
    const events = [anEvent(), anEvent()];
    await client.post(ATOMIC, { events });
    const answer = await client.post(ATOMIC, { events });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      accepted: 2,
      results: [{ result: 'duplicate' }, { result: 'duplicate' }],
    });
  });

  test('takes a duplicate for done', async () => {
    const known = anEvent();
    await client.post('/v1/events?ack=committed', known);
    const fresh = anEvent();
    const answer = await client.post(ATOMIC, { events: [known, fresh] });
    expect(answer.status).toBe(207);
    expect(answer.body).toMatchObject({
      accepted: 2,
      results: [{ result: 'duplicate' }, { result: 'committed' }],
    });
    expect(await storedEvent(deployment, 'acme', fresh.id)).toBeDefined();
  });

  test('is refused whole for one invalid event, with pointers into the batch', async () => {
    const count = await countEvents(deployment);
    const events = [anEvent(), anEvent({ target: {} }), anEvent(), anEvent({ workspace_id: 'globex' })];
    const answer = await client.post(ATOMIC, { events });
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_batch']);
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(answer.body.errors).toMatchObject([
      { pointer: '/events/1/target/type', code: 'required' },
      { pointer: '/events/3', code: 'workspace_forbidden' },
    ]);
    expect(await countEvents(deployment)).toBe(count);
  });

  test('of lines is refused whole for one broken line', async () => {
    const count = await countEvents(deployment);
    const body = [JSON.stringify(anEvent()), '{', JSON.stringify(anEvent())].join('\n');
    const answer = await client.post(ATOMIC, body, { 'Content-Type': 'application/x-ndjson' });
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_batch']);
    expect(answer.body.errors).toMatchObject([{ pointer: '/events/1', code: 'malformed_json' }]);
    expect(await countEvents(deployment)).toBe(count);
  });

  test('is refused whole for one conflict, and the stored event stays', async () => {
    const known = anEvent({ reason: 'stored' });
    await client.post('/v1/events?ack=committed', known);
    const count = await countEvents(deployment);
    const answer = await client.post(ATOMIC, {
      events: [anEvent(), { ...known, reason: 'changed' }, anEvent()],
    });
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
    expect(answer.body.errors).toMatchObject([{ pointer: '/events/1', code: 'conflict' }]);
    expect(await countEvents(deployment)).toBe(count);
    expect(await storedEvent(deployment, 'acme', known.id)).toMatchObject({ reason: 'stored' });
  });

  test('is refused whole when two of its events conflict with each other', async () => {
    const count = await countEvents(deployment);
    const event = anEvent();
    const answer = await client.post(ATOMIC, { events: [event, { ...event, reason: 'other' }] });
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
    expect(answer.body.errors).toMatchObject([{ pointer: '/events/1' }]);
    expect(await countEvents(deployment)).toBe(count);
  });

  test('leaves the events of others alone', async () => {
    const known = anEvent();
    await client.post('/v1/events?ack=committed', known);
    const others = Array.from({ length: 20 }, () => anEvent());
    const answers = await Promise.all([
      client.post(ATOMIC, { events: [anEvent(), { ...known, reason: 'changed' }] }),
      ...others.map((event) => client.post('/v1/events?ack=committed', event)),
      client.post(ATOMIC, { events: [anEvent(), anEvent()] }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([409, ...others.map(() => 201), 201]);
  });

  test.each(['atomic=true&ack=accepted', 'atomic=true&ack=nonsense', 'atomic=yes', 'atomic='])(
    'cannot be asked for by %s',
    async (query) => {
      const count = await countEvents(deployment);
      const answer = await client.post(`/v1/events/batch?${query}`, { events: [anEvent()] });
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_query']);
      expect(await countEvents(deployment)).toBe(count);
    },
  );
});
