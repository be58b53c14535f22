import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestHarness, type TestHarness } from 'wrangler';

let harness: TestHarness;
let url: URL;

beforeAll(async () => {
  const configPath = new URL('../../wrangler.toml', import.meta.url);
  harness = createTestHarness({
    workers: [{ configPath, secrets: { DATABASE_URL: 'mysql://root:hush@db/x' } }],
  });
  ({ url } = await harness.listen());
});
afterAll(() => harness.close());

test('what its queue delivers comes again in an hour: someone has to mend it first', async () => {
  const worker = await harness.getWorker().getExport();
  const dispatch = worker as unknown as {
    queue(name: string, messages: unknown[]): Promise<{ outcome: string; retryMessages: unknown[] }>;
  };
  const message = { id: 'm1', timestamp: new Date(), attempts: 1, body: 'daybook rows 1\n' };
  expect(await dispatch.queue('daybook', [message])).toMatchObject({
    outcome: 'ok',
    retryMessages: [{ msgId: 'm1', delaySeconds: 3600 }],
  });
});

test('a deployment that is not configured says so on every route, and tells the client nothing more', async () => {
  for (const path of ['/healthz', '/v1/events']) {
    const answer = await fetch(new URL(path, url));
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({
      code: 'internal_error',
      type: `${url.origin}/problems/internal_error`,
      request_id: answer.headers.get('X-Request-Id'),
    });
    expect(text).not.toMatch(/hush|DATABASE_URL/);
  }
});
