import { isDatabaseUrl } from '../db/database-url.ts';
import { UsageError } from './usage-error.ts';

/**
 * Reads the connection string of `DATABASE_URL`.
 * @param where it stands, for the error
 * @throws UsageError that says which part is missing; never with the value, which holds a password
 */
export function parseDatabaseUrl(text: string, where = 'DATABASE_URL'): URL {
  const url = URL.parse(text);
  const fault =
    url === null && !/^postgres(ql)?:\/\//.test(text)
      ? 'is not a URL'
      : url !== null && !/^postgres(ql)?:$/.test(url.protocol)
        ? 'does not begin with postgres://'
        : url?.hostname === ''
          ? 'names no host'
          : url === null || !isDatabaseUrl(text)
            ? 'is not a URL: its host or port is none, or its password holds a character such as / or # (write %2F, %23)'
            : faultOfParts(url);
  if (url === null || fault !== undefined)
    throw new UsageError(`${where} ${fault}. It looks like postgres://user:password@host/database.`);
  return url;
}

function faultOfParts({ username, password, pathname }: URL): string | undefined {
  if (username === '') return 'names no user';
  if (password === '') return 'has no password';
  if (pathname.length < 2) return 'names no database';
  return [username, password, pathname].every(isEscaped)
    ? undefined
    : 'has a % that begins no escape (write %25)';
}

function isEscaped(part: string): boolean {
  try {
    return decodeURIComponent(part) !== '';
  } catch {
    return false;
  }
}
