import type { Waiting } from './buffer.ts';

/** ms; Node takes a longer one for none. */
const LONGEST_TIMER = 2_147_483_647;

/** A timer of so many ms, or of the longest there is. */
export function after(ms: number, run: () => void): ReturnType<typeof setTimeout> {
  return setTimeout(run, Math.min(ms, LONGEST_TIMER));
}

/** Waits for events, for so many ms at most. @returns whether Daybook has them, or refused them */
export function settled(events: readonly Waiting[], timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    function look(isOver?: boolean): void {
      const isDone = events.every(({ end }) => end);
      if (!isDone && !isOver) return;
      clearTimeout(timer);
      for (const { lane } of events) lane.looks.delete(look);
      resolve(isDone && events.every(({ end }) => end === 'settled'));
    }
    const timer = after(timeout, () => look(true));
    for (const { lane } of events) lane.looks.add(look);
    look();
  });
}
