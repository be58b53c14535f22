import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
  expect((await client.post('/v1/events?ack=committed', anEvent())).status).toBe(201);
});
afterAll(() => deployment.close());

describe('a query that is wrong is 400 and names the parameter', () => {
  test.each([
    ['colour=red', '/colour', 'unknown_parameter'],
    ['Limit=5', '/Limit', 'unknown_parameter'],
    ['__proto__=1', '/__proto__', 'unknown_parameter'],
    ['limit=0', '/limit', 'invalid_value'],
    ['limit=201', '/limit', 'invalid_value'],
    ['limit=-1', '/limit', 'invalid_value'],
    ['limit=1.5', '/limit', 'invalid_value'],
    ['limit=ten', '/limit', 'invalid_value'],
    ['limit=', '/limit', 'invalid_value'],
    ['limit=1&limit=2', '/limit', 'invalid_value'],
    ['order=up', '/order', 'invalid_value'],
    ['order=asc&order=desc', '/order', 'invalid_value'],
    ['actor_type=robot', '/actor_type', 'invalid_value'],
    ['actor_id=', '/actor_id', 'invalid_value'],
    [`actor_id=${'x'.repeat(256)}`, '/actor_id', 'invalid_value'],
    ['actor_id=a%00b', '/actor_id', 'invalid_value'],
    ['action=%00*', '/action', 'invalid_value'],
    ['target_id=%00', '/target_id', 'invalid_value'],
    ['target_type=%00', '/target_type', 'invalid_value'],
    ['workspace_id=', '/workspace_id', 'invalid_value'],
    ['from=yesterday', '/from', 'invalid_value'],
    ['from=2026-01-31T09:30:00', '/from', 'invalid_value'],
    ['to=2026-02-30T00:00:00Z', '/to', 'invalid_value'],
    ['to=0000-01-01T00:00:00Z', '/to', 'invalid_value'],
    [Array.from({ length: 21 }, (_, index) => `actor_id=${index}`).join('&'), '/actor_id', 'invalid_value'],
  ])('%s', async (query, pointer, code) => {
    const answer = await client.get(`/v1/events?${query}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_query']);
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(answer.body.errors).toMatchObject([{ pointer, code }]);
    expect(answer.body.detail).toContain(pointer.slice(1));
  });

  test('and all of them when there are several', async () => {
    const { body } = await client.get('/v1/events?limit=0&colour=red&from=x');
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted()).toEqual([
      '/colour',
      '/from',
      '/limit',
    ]);
  });
});

describe('a wish that is misspelt or ambiguous is not taken for none', () => {
  test.each([
    ['POST', '/v1/events?akc=committed', '/akc'],
    ['POST', '/v1/events?ack=committed&ack=accepted', '/ack'],
    ['POST', '/v1/events?atomic=true', '/atomic'],
    ['POST', '/v1/events/batch?atomc=true', '/atomc'],
    ['POST', '/v1/events/batch?atomic=true&atomic=false', '/atomic'],
    ['GET', `/v1/events/${anEvent().id}?workspace=acme`, '/workspace'],
  ])('%s %s', async (method, path, pointer) => {
    const answer = await client.send(method, path, method === 'POST' ? anEvent() : undefined);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_query', errors: [{ pointer }] } });
  });
});

describe('whatever the query', () => {
  test('there is no 5xx', async () => {
    const name = fc.constantFrom(
      'actor_id',
      'actor_type',
      'action',
      'target_type',
      'target_id',
      'from',
      'to',
      'limit',
      'order',
      'cursor',
      'workspace_id',
      'x',
    );
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('\0', '*', "'", 'asc', '5', '2026-01-31T09:30:00Z', 'user.*'),
    );
    const query = fc.array(fc.tuple(name, value), { maxLength: 4 });
    const seed = Date.now();
    const queries = fc.sample(query, { numRuns: 500, seed }).values();
    async function sendSome(): Promise<void> {
      for (const pairs of queries) {
        const path = `/v1/events?${new URLSearchParams(pairs)}`;
        const answer = await client.get(path);
        expect([200, 400, 403], `${path} of seed ${seed}`).toContain(answer.status);
      }
    }
    await Promise.all(Array.from({ length: 16 }, sendSome));
  });
});
