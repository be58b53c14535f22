import type { Credentials } from './engine.ts';
import { InvalidRequest } from './invalid-request.ts';

/**
 * Reads user, password and database off the `Neon-Connection-String` header; all else in it is ignored.
 *
 * @throws InvalidRequest
 */
export function parseConnectionString(header: string | string[] | undefined): Credentials {
  if (typeof header !== 'string') throw new InvalidRequest('invalid header: neon-connection-string');
  const url = URL.parse(header);
  if (!url) throw new InvalidRequest('invalid connection string');
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:')
    throw new InvalidRequest('incorrect scheme');
  const [, database = ''] = url.pathname.split('/');
  if (database === '') throw new InvalidRequest('missing database name');
  if (url.username === '') throw new InvalidRequest('missing username');
  if (url.password === '') throw new InvalidRequest('missing authentication credentials: required password');
  return { user: decode(url.username), password: decode(url.password), database: decode(database) };
}

function decode(component: string): string {
  try {
    return decodeURIComponent(component);
  } catch {
    throw new InvalidRequest('invalid connection string');
  }
}
