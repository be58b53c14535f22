import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';

const JSON_TYPE = 'application/json';
const NDJSON = 'application/x-ndjson';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

function post(type: string, events: readonly string[]) {
  const body = type === NDJSON ? events.join('\n') : `{"events":[${events.join(',')}]}`;
  return client.post('/v1/events/batch?ack=committed', body, { 'Content-Type': type });
}

/** The text of a valid event whose metadata nest so many arrays. */
function nested(levels: number): string {
  const text = JSON.stringify(anEvent({ metadata: { a: '@' } }));
  return text.replace('"@"', () => '['.repeat(levels) + ']'.repeat(levels));
}

describe.each([JSON_TYPE, NDJSON])('an event nested too deep in a batch as %s', (type) => {
  test.each([31, 505, 513, 20_000])('by %i levels is refused alone', async (levels) => {
    const answer = await post(type, [nested(1), nested(levels), nested(30)]);
    expect(answer.status).toBe(207);
    expect(answer.body).toMatchObject({ accepted: 2, rejected: 1 });
    const { result, problem } = answer.body.results[1];
    expect([result, problem.code]).toEqual(['rejected', 'invalid_event']);
    expect(problem.errors).toContainEqual({
      pointer: `/metadata/a${'/0'.repeat(30)}`,
      code: 'too_deep',
      detail: expect.stringContaining('32'),
    });
    for (const { code } of problem.errors) expect(code).toBe('too_deep');
  });
});

test('a batch of 4 MiB of brackets is answered at once, at its place', async () => {
  const half = 2 * 1024 * 1024 - 1000;
  const start = performance.now();
  const answer = await post(JSON_TYPE, [nested(half)]);
  expect([answer.status, answer.body.results[0].problem.code]).toEqual([422, 'invalid_event']);
  const broken = await post(JSON_TYPE, [`{"metadata":${'['.repeat(2 * half)}`]);
  expect([broken.status, broken.body.code]).toEqual([400, 'malformed_json']);
  expect(performance.now() - start).toBeLessThan(5000);
});
