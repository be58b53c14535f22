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
