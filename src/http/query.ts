import type { Context } from 'hono';
import { ProblemError } from './problem.ts';

/**
 * The query parameters of a request, each given at most once.
 * @throws ProblemError that names a parameter the route does not know, or one that is repeated: a misspelt or ambiguous wish
 * must not be taken for none
 */
export function readQuery<Name extends string>(
  c: Context,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const given: Partial<Record<Name, string>> = {};
  for (const [name, value] of new URL(c.req.url).searchParams) {
    const known = names.find((candidate) => candidate === name);
    if (known === undefined) throw invalid(name, `There is no parameter ${name.slice(0, 64)} here.`);
    if (given[known] !== undefined) throw invalid(name, `${known} may be given once.`);
    given[known] = value;
  }
  return given;
}

function invalid(name: string, detail: string): ProblemError {
  const place = { pointer: `/${name.slice(0, 64)}`, code: 'invalid_value', detail };
  return new ProblemError({ code: 'invalid_query', detail, errors: [place] });
}
