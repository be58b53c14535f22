import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LOGIN, setUp, times, type Answer, type Sent } from './daybook.fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Refuses all of them, for two reasons. */
function refusing(events: Sent[]): Answer {
  const results = events.map((_event, index) => ({
    index,
    result: 'rejected',
    problem: { code: index % 2 === 0 ? 'invalid_event' : 'id_reused', detail: `Wrong ${index}.` },
  }));
  return { status: 422, body: { results } };
}

test('the first refusal for each reason is told at once, and again after a minute, with the counts of all', async () => {
  const { audit, logger } = setUp({}, refusing);
  const lines = () => logger.error.mock.calls.map(([line]) => line);
  times(100, () => audit.log(LOGIN));
  await vi.advanceTimersByTimeAsync(200);
  expect(lines()).toEqual([
    'daybook: an event is refused (invalid_event): Wrong 0. {"buffered":99,"stored":0,"refused":1,"dropped":0}',
    'daybook: an event is refused (id_reused): Wrong 1. {"buffered":98,"stored":0,"refused":2,"dropped":0}',
  ]);
  await vi.advanceTimersByTimeAsync(60_000);
  audit.log(LOGIN);
  await vi.advanceTimersByTimeAsync(200);
  expect(lines().slice(2)).toEqual([
    'daybook: an event is refused (invalid_event): Wrong 0. {"buffered":0,"stored":0,"refused":101,"dropped":0}',
  ]);
});
