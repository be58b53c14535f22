import { timeOf } from '../events/id.ts';
import { MAX_TIME_MS } from '../events/time.ts';
import { toBase64Url } from '../http/base64url.ts';
import { ProblemError } from '../http/problem.ts';

/** A place in a list: after which event it goes on, and of which list. */
interface Place {
  id: string;
  list: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * A short name of a list: hash of its workspace, filters and order. A cursor taken from one list is refused by another.
 * @param parts everything that decides which events are in the list and in which order
 */
export async function listName(parts: unknown): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(parts)));
  return btoa(String.fromCharCode(...new Uint8Array(digest).subarray(0, 12)));
}

/** @returns an opaque text for clients */
export function writeCursor(place: Place): string {
  return toBase64Url(new TextEncoder().encode(JSON.stringify([place.id, place.list])));
}

/**
 * @returns the id after which the list goes on
 * @throws ProblemError when it is no cursor of this list
 */
export function readCursor(text: string, list: string): string {
  const place = parse(text);
  if (place === undefined)
    throw invalid('This is not a cursor. Use next_cursor of an earlier answer as it is.');
  if (place.list !== list)
    throw invalid('This cursor belongs to a list with other filters. Start again without it.');
  return place.id;
}

function parse(text: string): Place | undefined {
  try {
    const parsed: unknown = JSON.parse(atob(text.replaceAll('-', '+').replaceAll('_', '/')));
    if (!Array.isArray(parsed) || parsed.length !== 2) return undefined;
    const [id, list]: unknown[] = parsed;
    if (typeof id !== 'string' || !UUID.test(id) || timeOf(id) > MAX_TIME_MS) return undefined;
    return typeof list === 'string' ? { id, list } : undefined;
  } catch {
    return undefined;
  }
}

function invalid(detail: string): ProblemError {
  return new ProblemError({ code: 'invalid_cursor', detail });
}
