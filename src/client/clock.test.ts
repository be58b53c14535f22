import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { validateEvent } from '../events/validate.ts';
import { lowestId } from '../events/id.ts';
import { LOGIN, receiptOf, setUp, times, type Answer, type Sent } from './daybook.fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MINUTE = 60_000;

/** As Daybook answers, whose clock is so many ms behind that of the client. */
function behind(ms: number) {
  return (events: Sent[]): Answer => {
    const results = events.map((event, index) => {
      const validation = validateEvent(event, { now: Date.now() - ms, checkWindow: true });
      if (validation.ok) return { index, result: 'committed', receipt: receiptOf(event) };
      const problem = { code: 'invalid_event', detail: 'The event is invalid.', errors: validation.flaws };
      return { index, result: 'rejected', problem };
    });
    return { status: 207, body: { results } };
  };
}

describe('an id whose time Daybook does not take', () => {
  test('because the clock of the machine is ahead waits until its time has come', async () => {
    const { audit, batches, logger } = setUp({}, behind(8 * MINUTE));
    times(3, () => audit.log({ ...LOGIN, occurred_at: new Date().toISOString() }));
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(audit.counts).toEqual({ buffered: 3, stored: 0, refused: 0, dropped: 0 });
    expect(logger.warn.mock.calls[0]?.[0]).toContain('id_window');
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(audit.counts).toEqual({ buffered: 0, stored: 3, refused: 0, dropped: 0 });
    expect(new Set(batches.flat().map(({ id }) => id)).size).toBe(3);
  });

  test('keeps no others waiting, once the clock is set', async () => {
    let offset = 20 * MINUTE;
    const { audit, batches } = setUp({}, (events) => behind(offset)(events));
    times(600, () => audit.log(LOGIN));
    await vi.advanceTimersByTimeAsync(MINUTE);
    vi.setSystemTime(Date.now() - offset);
    offset = 0;
    audit.log(LOGIN);
    await vi.advanceTimersByTimeAsync(1000);
    expect(audit.counts).toEqual({ buffered: 600, stored: 1, refused: 0, dropped: 0 });
    await vi.advanceTimersByTimeAsync(20 * MINUTE);
    expect(audit.counts).toMatchObject({ buffered: 0, stored: 601 });
    // They wait together, not each for itself.
    expect(batches.length).toBeLessThan(300);
  });

  test('because it is too old, or beside another flaw, is refused', async () => {
    const { audit } = setUp({}, behind(60 * MINUTE));
    audit.log({ ...LOGIN, action: 'not an action' });
    await vi.advanceTimersByTimeAsync(200);
    const ofAnother = setUp({}, behind(-8 * 24 * 60 * MINUTE));
    ofAnother.audit.log({ ...LOGIN, id: lowestId(Date.now()) });
    await vi.advanceTimersByTimeAsync(200);
    // A time that the application made up does not come.
    const ofTomorrow = setUp({}, behind(0));
    ofTomorrow.audit.log({ ...LOGIN, occurred_at: new Date(Date.now() + 60 * MINUTE).toISOString() });
    await vi.advanceTimersByTimeAsync(200);
    const all = [audit, ofAnother.audit, ofTomorrow.audit];
    expect(all.map(({ counts }) => counts.refused)).toEqual([1, 1, 1]);
  });
});
