import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { events, outcomes } from '../support/batch.ts';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { countEvents, storedEvent } from '../support/stored.ts';

const BATCH = '/v1/events/batch';
const COMMITTED = '/v1/events/batch?ack=committed';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

describe('a batch whose events all fare alike', () => {
  test('is 202 when all are accepted, and then they are stored', async () => {
    const batch = events(3);
    const answer = await client.post(BATCH, { events: batch });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('Daybook-Ack')).toBe('accepted');
    expect(answer.body).toMatchObject({ accepted: 3, rejected: 0 });
    expect(answer.body.results).toEqual(
      batch.map(({ id }, index) => ({
        index,
        result: 'accepted',
        receipt: {
          id,
          workspace_id: 'acme',
          created_at: expect.any(String),
          result: 'accepted',
          redacted: [],
        },
      })),
    );
    for (const { id } of batch) {
      await vi.waitFor(async () => expect(await storedEvent(deployment, 'acme', id)).toBeDefined());
    }
  });

  test('is 201 when all are committed, each receipt with the leaf hash of its row', async () => {
    const batch = events(50);
    const answer = await client.post(COMMITTED, { events: batch });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('Daybook-Ack')).toBe('committed');
    expect(outcomes(answer.body)).toEqual(batch.map((_, index) => `${index} committed`));
    for (const [index, { id }] of batch.entries()) {
      const stored = await storedEvent(deployment, 'acme', id);
      expect(stored).toMatchObject({ source_id: `row ${index}`, pending: 1 });
      expect(answer.body.results[index].receipt).toMatchObject({ id, leaf_hash: stored?.['leaf_hash'] });
    }
  });

  test('is 200 when all are duplicates, with the stored leaf hashes', async () => {
    const batch = events(3);
    const hashes = (body: { results: { receipt: { leaf_hash: string } }[] }) =>
      body.results.map(({ receipt }) => receipt.leaf_hash);
    const first = await client.post(COMMITTED, { events: batch });
    const count = await countEvents(deployment);
    const second = await client.post(COMMITTED, { events: batch });
    expect(second.status).toBe(200);
    expect(second.body).toMatchObject({ accepted: 3, rejected: 0 });
    expect(outcomes(second.body)).toEqual(['0 duplicate', '1 duplicate', '2 duplicate']);
    expect(hashes(second.body)).toEqual(hashes(first.body));
    expect(await countEvents(deployment)).toBe(count);
  });

  test('is 409 when all are conflicts, and the stored events stay', async () => {
    const batch = events(2);
    await client.post(COMMITTED, { events: batch });
    const answer = await client.post(COMMITTED, {
      events: batch.map((event) => ({ ...event, reason: 'changed' })),
    });
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ accepted: 0, rejected: 2 });
    expect(outcomes(answer.body)).toEqual(['0 conflict conflict', '1 conflict conflict']);
    for (const { id } of batch)
      expect(await storedEvent(deployment, 'acme', id)).toMatchObject({ reason: null });
  });

  test('is 422 when all are invalid, and nothing is stored', async () => {
    const count = await countEvents(deployment);
    const answer = await client.post(COMMITTED, { events: [{}, [], anEvent({ outcome: 'fine' })] });
    expect(answer.status).toBe(422);
    expect(outcomes(answer.body)).toEqual([
      '0 rejected invalid_event /action',
      '1 rejected invalid_event ',
      '2 rejected invalid_event /outcome',
    ]);
    expect(await countEvents(deployment)).toBe(count);
  });
});

describe('a batch whose events fare differently', () => {
  test('is 207, each result in its place and each problem with pointers into its own event', async () => {
    const [known, changed, fresh] = events(3);
    await client.post(COMMITTED, { events: [known, changed] });
    const batch = [
      fresh,
      anEvent({ actor: { type: 'user' } }),
      known,
      { ...changed, reason: 'changed' },
      anEvent({ metadata: { a: ['x\0'] } }),
      anEvent({ workspace_id: 'globex' }),
      'no event',
    ];
    const answer = await client.post(COMMITTED, { events: batch });
    expect(answer.status).toBe(207);
    expect(answer.body).toMatchObject({ accepted: 2, rejected: 5 });
    expect(outcomes(answer.body)).toEqual([
      '0 committed',
      '1 rejected invalid_event /actor/id',
      '2 duplicate',
      '3 conflict conflict',
      '4 rejected invalid_event /metadata/a/0',
      '5 rejected workspace_forbidden',
      '6 rejected invalid_event ',
    ]);
    expect(answer.body.results[1].problem).toMatchObject({
      type: `${deployment.url}/problems/invalid_event`,
      status: 422,
      request_id: answer.headers.get('X-Request-Id'),
    });
    expect(
      answer.body.results.map((result: object) => 'receipt' in result === 'problem' in result),
    ).not.toContain(true);
    expect(await storedEvent(deployment, 'acme', fresh?.id)).toBeDefined();
    expect(await countEvents(deployment, 'globex')).toBe(0);
  });

  test('is 207 when some are accepted and some invalid', async () => {
    const answer = await client.post(BATCH, { events: [anEvent(), {}] });
    expect(answer.status).toBe(207);
    expect(outcomes(answer.body)).toEqual(['0 accepted', '1 rejected invalid_event /action']);
  });

  test('stores an event that it holds twice once, and calls the second a duplicate', async () => {
    const event = anEvent();
    const answer = await client.post(COMMITTED, { events: [event, anEvent(), event] });
    expect(answer.status).toBe(207);
    expect(outcomes(answer.body)).toEqual(['0 committed', '1 committed', '2 duplicate']);
    const stored = await storedEvent(deployment, 'acme', event.id);
    expect(answer.body.results[2].receipt).toMatchObject({ leaf_hash: stored?.['leaf_hash'] });
  });

  test('stores the first of two events with one id, and calls the second a conflict', async () => {
    const event = anEvent({ reason: 'first' });
    const answer = await client.post(COMMITTED, { events: [event, { ...event, reason: 'second' }] });
    expect(answer.status).toBe(207);
    expect(outcomes(answer.body)).toEqual(['0 committed', '1 conflict conflict']);
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({ reason: 'first' });
  });

  test('may belong to several workspaces, where one id is two events', async () => {
    const several = clientOf(deployment, await deployment.key({ workspaces: ['initech', 'hooli'] }));
    const event = anEvent();
    const batch = ['initech', 'hooli', undefined, 'acme'].map((workspace) => ({
      ...event,
      workspace_id: workspace,
    }));
    const answer = await several.post(COMMITTED, { events: batch });
    expect(answer.status).toBe(207);
    expect(outcomes(answer.body)).toEqual([
      '0 committed',
      '1 committed',
      '2 rejected invalid_event /workspace_id',
      '3 rejected workspace_forbidden',
    ]);
    expect(answer.body.results[1].receipt).toMatchObject({ id: event.id, workspace_id: 'hooli' });
    expect(await storedEvent(deployment, 'hooli', event.id)).toBeDefined();
    expect(await storedEvent(deployment, 'initech', event.id)).toBeDefined();
  });
});
