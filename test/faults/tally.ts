/** Names under which `Tally` counts what must not happen. */
export const DEAD_LETTER = 'message moved to the dead-letter queue';
export const DROPPED = 'message dropped by the queue';
export const CRASHED = 'workerd ended by itself';

/** Counts lines of logs by what they tell. */
export class Tally {
  readonly lines: Record<string, number> = {};

  /** A line of the Worker: JSON with an event, unless it is the runtime's own. */
  worker(line: string): void {
    const event = eventOf(line);
    // Not of ours: whoever reads the report will want to see it.
    if (event === undefined) console.error(line);
    this.#count(event ?? 'other');
  }

  /** A line of the platform. */
  platform(line: string): void {
    if (/Moving message .* to dead letter queue/.test(line)) this.#count(DEAD_LETTER);
    if (/Dropped message/.test(line)) this.#count(DROPPED);
  }

  crash(): void {
    this.#count(CRASHED);
  }

  #count(name: string): void {
    this.lines[name] = (this.lines[name] ?? 0) + 1;
  }
}

function eventOf(line: string): string | undefined {
  try {
    const { event } = JSON.parse(line) as { event?: unknown };
    return typeof event === 'string' ? event : undefined;
  } catch {
    return undefined;
  }
}
