import { neon, neonConfig } from '@neondatabase/serverless';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readIn } from './read.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  neonConfig.fetchFunction = undefined;
});

test('a read of a database that hangs ends as a problem after 20 seconds', async () => {
  neonConfig.fetchFunction = () => new Promise(() => {});
  const client = neon('postgres://user:password@localhost/database');
  const read = readIn(client, 'acme', (db) => db.execute(sql`SELECT 1`));
  const settled = vi.fn<(error: unknown) => void>();
  void read.catch(settled);
  await vi.advanceTimersByTimeAsync(19_999);
  expect(settled).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(settled).toHaveBeenCalledWith(
    expect.objectContaining({ problem: expect.objectContaining({ code: 'unavailable' }) }),
  );
});
