import { expect, test, vi } from 'vitest';
import { createDaybook } from './create-daybook.ts';

const ENV = {
  DATABASE_URL: 'postgres://u:p@db.invalid/d',
  DAYBOOK_KEY_SECRET: 's'.repeat(32),
  QUEUE: { sendBatch: () => {}, metrics: () => {} },
  RATE_LIMIT: { limit: () => {} },
  RATE_LIMIT_FIFTIES: { limit: () => {} },
};
const CONTEXT = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} };

test('each Worker made has its own state', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(console, 'log').mockImplementation(() => {});
  const [configured, other] = [createDaybook(), createDaybook()];
  const request = () => new Request('https://daybook.test/healthz');
  expect((await configured.fetch(request(), ENV, CONTEXT)).status).toBe(200);
  expect((await other.fetch(request(), {}, CONTEXT)).status).toBe(500);
  expect(log.mock.calls).toEqual([[expect.stringContaining('"event":"not_configured"')]]);
  vi.restoreAllMocks();
});
