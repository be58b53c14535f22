import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AuditError } from './audit.ts';
import { LOGIN, setUp, stored, times } from './daybook.fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const numbered = (n: number) => ({ ...LOGIN, metadata: { n } });

describe('the buffer', () => {
  test('loses nothing else for an event that is larger than all of it', async () => {
    const { audit, batches } = setUp({ drop: 'oldest', buffer: { characters: 2000 } });
    times(3, (n) => audit.log(numbered(n)));
    audit.log({ ...LOGIN, metadata: { text: 'x'.repeat(3000) } });
    expect(audit.counts).toMatchObject({ buffered: 3, dropped: 1 });
    await vi.advanceTimersByTimeAsync(200);
    expect(batches.flat().map(({ metadata }) => metadata?.['n'])).toEqual([0, 1, 2]);
  });

  test.each([
    ['newest', 10],
    ['oldest', 10],
  ] as const)(
    'keeps the room of what is under way, so that a failed batch drops none later (%s)',
    async (drop, most) => {
      const { promise, reject } = Promise.withResolvers<Response>();
      let isFirst = true;
      const taken: number[] = [];
      const { audit } = setUp({
        drop,
        buffer: { events: most },
        batch: { events: 5 },
        fetch: async (_url, init) => {
          const { events } = JSON.parse(String(init?.body));
          if (isFirst) {
            isFirst = false;
            return promise;
          }
          taken.push(...events.map(({ metadata }: { metadata: { n: number } }) => metadata.n));
          const { body } = stored(events) as { body: unknown };
          return Response.json(body);
        },
      });
      times(5, (n) => audit.log(numbered(n)));
      await vi.advanceTimersByTimeAsync(1);
      times(10, (n) => audit.log(numbered(5 + n)));
      expect(audit.counts).toMatchObject({ buffered: 10, dropped: 5 });
      reject(new TypeError('down'));
      await vi.advanceTimersByTimeAsync(0);
      audit.log(numbered(15));
      expect(audit.counts).toMatchObject({ buffered: 10, dropped: 6 });
      await vi.advanceTimersByTimeAsync(5000);
      expect(audit.counts).toEqual({ buffered: 0, stored: 10, refused: 0, dropped: 6 });
      const last = [11, 12, 13, 14, 15];
      const expected = drop === 'newest' ? [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] : [1, 2, 3, 4, 10, ...last];
      expect(taken).toEqual(expected);
    },
  );

  test('drops what comes in while the logger closes, and what is to be recorded hears of it', async () => {
    const logger = { warn: () => {}, error: () => void audit.close({ timeout: 20 }) };
    const { audit } = setUp({ drop: 'oldest', buffer: { events: 2 }, logger }, () => new TypeError('down'));
    times(2, (n) => audit.log(numbered(n)));
    const recorded = audit.record(LOGIN).catch(({ code }: AuditError) => code);
    await vi.advanceTimersByTimeAsync(100);
    expect(await recorded).toBe('dropped');
    expect(audit.counts).toEqual({ buffered: 0, stored: 0, refused: 0, dropped: 3 });
  });
});
