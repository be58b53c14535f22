import type { Context } from 'hono';
import { hasTooManyParts } from './json-parts.ts';
import { ProblemError } from './problem.ts';

/** Media type of the body, in lower case, without parameters; `''` when none is given. */
export function mediaType(c: Context): string {
  return (c.req.header('Content-Type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** @throws ProblemError when the body is compressed, or of another media type than those allowed */
export function requireMediaType(c: Context, allowed: readonly string[]): void {
  if (!allowed.includes(mediaType(c))) {
    throw new ProblemError({
      code: 'unsupported_media_type',
      detail: `Send the header Content-Type: ${allowed.join(' or ')}.`,
      headers: { 'Accept-Post': allowed.join(', ') },
    });
  }
  const encoding = c.req.header('Content-Encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new ProblemError({
      code: 'unsupported_media_type',
      detail: 'Send the body without Content-Encoding.',
    });
  }
}

/**
 * The body as text. Middleware has received it, within bounds.
 * @throws ProblemError when it is compressed, of another media type than those allowed, holds too much to be read, or is not UTF-8
 */
export async function readText(c: Context, allowed: readonly string[]): Promise<string> {
  requireMediaType(c, allowed);
  const bytes = new Uint8Array(await c.req.arrayBuffer());
  if (hasTooManyParts(bytes)) {
    throw new ProblemError({
      code: 'too_large',
      detail:
        'A body of more than 1 MiB may hold 350,000 objects, arrays and members. Nothing was stored: split it.',
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ProblemError({ code: 'malformed_json', detail: 'The body is not valid UTF-8.' });
  }
}
