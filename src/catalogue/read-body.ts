import type * as z from 'zod';
import { pointerTo } from '../events/flaw.ts';
import { readJson } from '../events/json.ts';
import { readText } from '../http/body.ts';
import { malformedJson, ProblemError, type ProblemPlace } from '../http/problem.ts';
import type { AppContext } from '../auth/context.ts';

const MAX_PLACES = 20;

/**
 * The body of an administrative request, by its schema, whose own messages say what to send.
 * @throws ProblemError `malformed_json`, `invalid_body`
 */
export async function readBody<T>(c: AppContext, schema: z.ZodType<T>): Promise<T> {
  const reading = readJson(await readText(c, ['application/json']));
  if (!reading.ok) throw new ProblemError(malformedJson(reading));
  const parsed = schema.safeParse(reading.value);
  const places = [...reading.flaws, ...(parsed.error?.issues ?? []).flatMap(placesOf)];
  if (parsed.success && places.length === 0) return parsed.data;
  throw new ProblemError({
    code: 'invalid_body',
    detail: 'Nothing was changed.',
    errors: places.slice(0, MAX_PLACES),
  });
}

function placesOf(issue: z.core.$ZodIssue): ProblemPlace[] {
  const pointer = issue.path.reduce<string>((parent, token) => pointerTo(parent, String(token)), '');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, MAX_PLACES).map((name) => ({
      pointer: pointerTo(pointer, name.slice(0, 64)),
      code: 'unknown_field',
      detail: 'There is no such field here.',
    }));
  }
  return [{ pointer, code: 'invalid_value', detail: issue.message }];
}
