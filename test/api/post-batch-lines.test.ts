import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { events, outcomes } from '../support/batch.ts';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { storedEvent } from '../support/stored.ts';

const BATCH = '/v1/events/batch';
const COMMITTED = '/v1/events/batch?ack=committed';
const NDJSON = { 'Content-Type': 'application/x-ndjson' };

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

describe('a batch of newline-delimited JSON', () => {
  test('is read line by line, blank lines and line ends of either kind aside', async () => {
    const batch = events(3);
    const [first, second, third] = batch.map((event) => JSON.stringify(event));
    const answer = await client.post(COMMITTED, `${first}\r\n\n  \n${second}\n${third}`, NDJSON);
    expect(answer.status).toBe(201);
    expect(outcomes(answer.body)).toEqual(['0 committed', '1 committed', '2 committed']);
    expect(answer.body.results.map((result: { receipt: { id: string } }) => result.receipt.id)).toEqual(
      batch.map(({ id }) => id),
    );
  });

  test('is not spoiled by a broken line', async () => {
    const [first, last] = events(2);
    const lines = [
      JSON.stringify(first),
      '{"action": "user.',
      '[',
      JSON.stringify(anEvent({ colour: 1 })),
      JSON.stringify(last),
    ];
    const answer = await client.post(COMMITTED, lines.join('\n'), {
      'Content-Type': 'application/x-ndjson; charset=utf-8',
    });
    expect(answer.status).toBe(207);
    expect(outcomes(answer.body)).toEqual([
      '0 committed',
      '1 rejected malformed_json',
      '2 rejected malformed_json',
      '3 rejected invalid_event /colour',
      '4 committed',
    ]);
    expect(answer.body.results[1].problem).toMatchObject({
      status: 400,
      detail: expect.stringContaining('at character 17'),
    });
    expect(await storedEvent(deployment, 'acme', last?.id)).toBeDefined();
  });

  test('is 422 when every line is broken', async () => {
    const answer = await client.post(BATCH, 'one\ntwo', NDJSON);
    expect(answer.status).toBe(422);
    expect(outcomes(answer.body)).toEqual(['0 rejected malformed_json', '1 rejected malformed_json']);
  });
});
