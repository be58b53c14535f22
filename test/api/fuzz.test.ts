import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientOf, type Answer, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { randomBody, type RandomBody } from '../support/random-bodies.ts';
import { countEvents } from '../support/stored.ts';
import { THOROUGH } from '../support/thorough.ts';

const BODIES = THOROUGH ? 10_000 : 1000;
const AT_ONCE = 48;

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

test(`${BODIES} random bodies get no 5xx, only problems as errors, and are stored exactly where they are told so`, async () => {
  // Every run is another one; the seed in a failure repeats it.
  const seed = Date.now();
  const bodies = fc.sample(randomBody, { numRuns: BODIES, seed });
  const before = await countEvents(deployment);
  const complaints: string[] = [];
  let committed = 0;

  const queue = bodies.values();
  async function sendSome(): Promise<void> {
    for (const sent of queue) {
      const answer = await client.post(`${sent.route}?ack=committed`, sent.body, {
        'Content-Type': sent.type,
      });
      complaints.push(
        ...complaintsAbout(answer).map((complaint) => `${complaint}, to ${shown(sent)}, of seed ${seed}`),
      );
      committed += committedBy(answer);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, sendSome));

  expect(complaints.slice(0, 5)).toEqual([]);
  // Not all bodies may fail at the first hurdle.
  expect(committed).toBeGreaterThan(BODIES / 100);
  expect(await countEvents(deployment)).toBe(before + committed);
}, 300_000);

interface Result {
  result: string;
  problem?: { status: number; code: string };
}

function complaintsAbout({ status, headers, body }: Answer): string[] {
  if (status >= 500) return [`${status} ${JSON.stringify(body)}`];
  if (body.results !== undefined) {
    return body.results.flatMap(({ problem }: Result) => (problem ? complaintsAboutProblem(problem) : []));
  }
  if (status < 400) return [];
  const type = headers.get('Content-Type');
  return type === 'application/problem+json' ? complaintsAboutProblem(body) : [`${status} ${type}`];
}

function complaintsAboutProblem(problem: { status: number; code: string }): string[] {
  const isComplete = ['type', 'code', 'title', 'detail', 'request_id'].every((member) => member in problem);
  // What the database refuses should have been refused at the door.
  return isComplete && problem.status < 500 && problem.code !== 'refused_event'
    ? []
    : [JSON.stringify(problem)];
}

function committedBy({ status, body }: Answer): number {
  if (status >= 400) return 0;
  const results: Result[] = body.results ?? [body];
  return results.filter(({ result }) => result === 'committed').length;
}

function shown({ route, body }: RandomBody): string {
  return `${route} ${typeof body === 'string' ? JSON.stringify(body) : Buffer.from(body).toString('hex')}`.slice(
    0,
    1000,
  );
}
