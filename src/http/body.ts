import type { Context } from 'hono';
import { ProblemError } from './problem.ts';

/** Media type of the body, in lower case, without parameters; `''` when none is given. */
export function mediaType(c: Context): string {
  return (c.req.header('Content-Type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/**
 * The body as text. Its size was bounded by middleware.
 * @throws ProblemError when it is compressed, of another media type than those allowed, or not UTF-8
 */
export async function readText(c: Context, allowed: readonly string[]): Promise<string> {
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
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await c.req.arrayBuffer());
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ProblemError({ code: 'malformed_json', detail: 'The body is not valid UTF-8.' });
  }
}
