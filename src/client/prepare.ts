import { MAX_ID_AGE_MS } from '../events/limits.ts';
import type { Waiting } from './buffer.ts';
import { newId } from './new-id.ts';
import type { EventOutcome } from './transport.ts';

/** ms; an id is not sent when it could leave the window on its way. */
const ID_AGE = MAX_ID_AGE_MS - 60 * 60_000;

/** Applied to each event before it leaves the process. */
export type Redact = (event: Record<string, unknown>) => Record<string, unknown>;

/**
 * Redacts an event, once, and where the client made its id, sees that it is one that is taken in. An id that was given goes as
 * it is: another one would make two events of one that is sent twice.
 * @returns why it is not sent at all
 */
export function prepare(event: Waiting, redact: Redact): EventOutcome | undefined {
  const { madeAt = Infinity } = event;
  const isOld = Date.now() - madeAt >= ID_AGE;
  if (event.isRedacted && !isOld) return;
  // It was written from an object.
  let content = JSON.parse(event.json) as Record<string, unknown>;
  try {
    if (!event.isRedacted) content = redact(content);
    if (isOld) {
      content['occurred_at'] ??= new Date(madeAt).toISOString();
      event.id = newId();
      event.madeAt = Date.now();
    }
    event.json = JSON.stringify({ ...content, toJSON: undefined, id: event.id });
    event.isRedacted = true;
    return;
  } catch (error) {
    return { result: 'refused', code: 'redaction_failed', detail: nameOf(error) };
  }
}

/** Of an error only its name: its message may hold anything. */
export function nameOf(error: unknown): string {
  try {
    // Whatever was thrown, nothing but this is looked at, and that may throw.
    const { name } = error as { name?: unknown };
    if (typeof name === 'string') return name;
  } catch {}
  return 'unknown';
}
