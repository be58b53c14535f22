import type { Waiting } from './buffer.ts';

/** ms; Node takes a longer one for none. */
const LONGEST_TIMER = 2_147_483_647;

/** A timer of so many ms, or of the longest there is. */
export function after(ms: number, run: () => void): ReturnType<typeof setTimeout> {
  return setTimeout(run, Math.min(ms, LONGEST_TIMER));
}

/**
 * Waits for events, for so many ms at most.
 * @param looks called whenever some were settled @returns whether Daybook has them, or refused them
 */
export function settled(
  events: readonly Waiting[],
  timeout: number,
  looks: Set<() => void>,
): Promise<boolean> {
  return new Promise((resolve) => {
    function end(): void {
      clearTimeout(timer);
      looks.delete(look);
      resolve(events.every(({ end }) => end === 'settled'));
    }
    function look(): void {
      if (events.every(({ end }) => end)) end();
    }
    const timer = after(timeout, end);
    looks.add(look);
    look();
  });
}
