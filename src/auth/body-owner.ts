import type { AppContext } from './context.ts';

/** Whose share of the memory for bodies a request takes: its key's. */
export function bodyOwner(c: AppContext): string {
  const identity = c.get('identity');
  return identity.kind === 'key' ? identity.claims.id : 'operator';
}
