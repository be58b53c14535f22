import { pointerTo, type Flaw } from '../events/flaw.ts';
import { readJson } from '../events/json.ts';
import { MAX_EVENT_BYTES } from '../events/limits.ts';
import { malformedJson, type Problem } from '../http/problem.ts';

export const BATCH_MAX_EVENTS = 1000;
export const BATCH_MAX_BYTES = 4 * 1024 * 1024;

/** One event of a batch as it was sent. */
export type BatchItem = { ok: true; value: unknown; flaws: Flaw[] } | { ok: false; problem: Problem };

export type BatchReading = { ok: true; items: BatchItem[] } | { ok: false; problem: Problem };

/** Reads `{"events": […]}`. What is wrong within an event is that event's affair. */
export function readJsonBatch(text: string): BatchReading {
  const reading = readJson(text);
  if (!reading.ok) return { ok: false, problem: malformedJson(reading) };
  const { value } = reading;
  if (typeof value !== 'object' || value === null || !('events' in value) || !Array.isArray(value.events)) {
    return invalid('/events', 'required', 'A batch is {"events": […]}.');
  }
  const unknown = Object.keys(value).find((name) => name !== 'events');
  if (unknown !== undefined)
    return invalid(
      pointerTo('', unknown.slice(0, 64)),
      'unknown_field',
      'A batch has the field events and no other.',
    );
  const events: unknown[] = value.events;
  const sized = checkCount(events.length);
  if (sized !== undefined) return sized;

  const flaws = Map.groupBy(reading.flaws, ({ pointer }) => /^\/events\/(\d+)/.exec(pointer)?.[1] ?? '');
  const outside = flaws.get('');
  if (outside !== undefined)
    return { ok: false, problem: { code: 'invalid_batch', detail: 'Nothing was stored.', errors: outside } };
  const items = events.map((event, index): BatchItem => {
    const prefix = `/events/${index}`;
    const own = flaws.get(String(index)) ?? [];
    return {
      ok: true,
      value: event,
      flaws: own.map((flaw) => ({ ...flaw, pointer: flaw.pointer.slice(prefix.length) })),
    };
  });
  return { ok: true, items };
}

/** Reads newline-delimited JSON, one event a line; blank lines do not count. A broken line spoils no other. */
export function readNdjsonBatch(text: string): BatchReading {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const sized = checkCount(lines.length);
  if (sized !== undefined) return sized;
  const items = lines.map((line): BatchItem => {
    if (line.length > MAX_EVENT_BYTES) {
      return {
        ok: false,
        problem: { code: 'too_large', detail: `An event may have ${MAX_EVENT_BYTES} bytes.` },
      };
    }
    const reading = readJson(line);
    return reading.ok ? reading : { ok: false, problem: malformedJson(reading) };
  });
  return { ok: true, items };
}

function checkCount(count: number): { ok: false; problem: Problem } | undefined {
  if (count === 0) return invalid('/events', 'too_short', 'A batch holds one event or more.');
  if (count <= BATCH_MAX_EVENTS) return undefined;
  const detail = `A batch holds at most ${BATCH_MAX_EVENTS} events, and this one has ${count}. Nothing was stored: split it.`;
  return { ok: false, problem: { code: 'too_many_events', detail } };
}

function invalid(pointer: string, code: string, detail: string): { ok: false; problem: Problem } {
  return {
    ok: false,
    problem: { code: 'invalid_batch', detail: 'Nothing was stored.', errors: [{ pointer, code, detail }] },
  };
}
