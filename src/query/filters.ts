import * as z from 'zod';
import { ACTOR_TYPES } from '../events/kinds.ts';
import { parseTime } from '../events/time.ts';
import { ProblemError } from '../http/problem.ts';

/** Values of one filter; an event matches when it matches any of them. */
const MAX_VALUES = 20;

const anyOf = (schema: z.ZodType<string>) =>
  z.array(schema).max(MAX_VALUES, `at most ${MAX_VALUES} values`).optional();
const word = z
  .string()
  .min(1, 'must not be empty')
  .max(255, 'is too long')
  .refine((text) => !text.includes('\0'), 'must not hold the character U+0000');
const once = <T>(schema: z.ZodType<T, string | undefined>) =>
  z
    .array(z.string())
    .max(1, 'may be given once')
    .transform((values) => values[0])
    .pipe(schema);

const time = once(
  z.string().transform((text, context) => {
    const parsed = parseTime(text);
    if (parsed.ok) return parsed.ms;
    context.addIssue({
      code: 'custom',
      message: 'must be an RFC 3339 time with an offset, such as 2026-01-31T12:00:00Z',
    });
    return z.NEVER;
  }),
).optional();

const listQuery = z.strictObject({
  workspace_id: once(z.string().min(1, 'must not be empty').max(128, 'may have 128 characters')).optional(),
  actor_id: anyOf(word),
  actor_type: anyOf(z.enum(ACTOR_TYPES, `must be one of: ${ACTOR_TYPES.join(', ')}`)),
  action: anyOf(word),
  target_type: anyOf(word),
  target_id: anyOf(word),
  from: time,
  to: time,
  order: once(z.enum(['desc', 'asc'], 'must be desc or asc')).optional(),
  limit: once(
    z.coerce
      .number<string>('must be a number')
      .int('must be a whole number')
      .min(1, 'must be 1 or more')
      .max(200, 'may be 200 at most'),
  ).optional(),
  cursor: once(z.string()).optional(),
});

/** What the schema makes of the parameters, written out: the package's types name no library. Times in ms since 1970. */
export interface ListQuery {
  workspace_id?: string | undefined;
  actor_id?: string[] | undefined;
  actor_type?: string[] | undefined;
  action?: string[] | undefined;
  target_type?: string[] | undefined;
  target_id?: string[] | undefined;
  from?: number | undefined;
  to?: number | undefined;
  order?: 'desc' | 'asc' | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** @throws ProblemError that names each parameter that is wrong, by pointers such as `/from` */
export function parseListQuery(params: URLSearchParams): ListQuery {
  const grouped: Record<string, string[]> = Object.create(null);
  for (const [name, value] of params) (grouped[name] ??= []).push(value);
  const parsed = listQuery.safeParse(grouped);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((name) =>
          place(name, 'unknown_parameter', `There is no parameter ${name.slice(0, 64)}.`),
        )
      : [place(String(issue.path[0]), 'invalid_value', `${String(issue.path[0])} ${issue.message}.`)],
  );
  throw new ProblemError({
    code: 'invalid_query',
    detail: errors.map(({ detail }) => detail).join(' '),
    errors,
  });
}

function place(name: string, code: string, detail: string) {
  return { pointer: `/${name.slice(0, 64)}`, code, detail };
}
