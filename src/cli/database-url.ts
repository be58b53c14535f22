import { UsageError } from './usage-error.ts';

/**
 * Reads `DATABASE_URL`.
 * @throws UsageError that says which part is missing; never with the value, which holds a password
 */
export function parseDatabaseUrl(text: string): URL {
  const url = URL.parse(text);
  const fault =
    url === null
      ? 'is not a URL'
      : !/^postgres(ql)?:$/.test(url.protocol)
        ? 'does not begin with postgres://'
        : url.hostname === ''
          ? 'names no host'
          : url.username === ''
            ? 'names no user'
            : url.password === ''
              ? 'has no password'
              : url.pathname.length < 2
                ? 'names no database'
                : undefined;
  if (url === null || fault !== undefined)
    throw new UsageError(`DATABASE_URL ${fault}. It looks like postgres://user:password@host/database.`);
  return url;
}
