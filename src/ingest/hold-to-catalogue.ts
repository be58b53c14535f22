import type { AppContext } from '../auth/context.ts';
import { unknownTerms } from '../events/terms.ts';
import type { Catalogues } from './catalogues.ts';
import { invalidEvent, type PreparedOne } from './prepare-one.ts';

/** Refuses events of strict workspaces whose action or target types these do not take. */
export async function holdToCatalogue(
  c: AppContext,
  catalogues: Catalogues,
  prepared: readonly PreparedOne[],
): Promise<readonly PreparedOne[]> {
  const workspaceIds = new Set(prepared.flatMap((one) => (one.ok ? [one.event.workspaceId] : [])));
  if (workspaceIds.size === 0) return prepared;
  const strict = await catalogues.of(workspaceIds, (promise) => c.executionCtx.waitUntil(promise));
  if (strict.size === 0) return prepared;
  return prepared.map((one): PreparedOne => {
    const terms = one.ok ? strict.get(one.event.workspaceId) : undefined;
    const flaws = one.ok && terms !== undefined ? unknownTerms(one.event.terms, terms) : [];
    return flaws.length === 0 ? one : { ok: false, problem: invalidEvent(flaws) };
  });
}
