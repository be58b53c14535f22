import { timeOf } from '../events/id.ts';
import { MAX_ID_AGE_MS } from '../events/limits.ts';
import type { Waiting } from './buffer.ts';
import { newId } from './new-id.ts';

/** ms; an id is not sent when it could leave the window on its way. */
const ID_AGE = MAX_ID_AGE_MS - 60 * 60_000;

/** Applied to each event before it leaves the process. */
export type Redact = (event: Record<string, unknown>) => Record<string, unknown>;

/**
 * Redacts an event, once, and gives it an id that is taken in, which it keeps.
 * @throws what `redact` throws
 */
export function prepare(event: Waiting, redact: Redact): void {
  // Of version 7: what is no id, Daybook refuses.
  const isOld = event.id[14] === '7' && Date.now() - timeOf(event.id) >= ID_AGE;
  if (event.isRedacted && !isOld) return;
  // It was written from an object.
  let content = JSON.parse(event.json) as Record<string, unknown>;
  if (!event.isRedacted) content = redact(content);
  if (isOld) {
    content['occurred_at'] ??= new Date(timeOf(event.id)).toISOString();
    event.id = newId();
  }
  event.json = JSON.stringify({ ...content, id: event.id });
  event.isRedacted = true;
}

/** Of an error only its name: its message may hold anything. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}
