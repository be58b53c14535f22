import type { AppContext } from '../auth/context.ts';
import { NearestTerms, takesTerms, unknownTerms } from '../events/terms.ts';
import type { Catalogues } from './catalogues.ts';
import { invalidEvent, type PreparedOne } from './prepare-one.ts';

/**
 * Refuses events of strict workspaces whose action or target types these do not take. A refusal is for good: where the
 * catalogue has lately gained what is refused, it is read again first.
 */
export async function holdToCatalogue(
  c: AppContext,
  catalogues: Catalogues,
  prepared: readonly PreparedOne[],
): Promise<readonly PreparedOne[]> {
  const waitUntil = (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise);
  const events = prepared.flatMap((one) => (one.ok ? [one.event] : []));
  if (events.length === 0) return prepared;
  const known = await catalogues.of(new Set(events.map(({ workspaceId }) => workspaceId)), waitUntil);
  const refusing = new Set<string>();
  for (const { workspaceId, terms } of events) {
    const taken = known.get(workspaceId);
    if (taken !== undefined && !takesTerms(terms, taken)) refusing.add(workspaceId);
  }
  if (refusing.size === 0) return prepared;
  const strict = await catalogues.again(refusing, waitUntil);
  const nearest = new NearestTerms();
  return prepared.map((one): PreparedOne => {
    const terms = one.ok ? strict.get(one.event.workspaceId) : undefined;
    const flaws =
      one.ok && terms !== undefined ? unknownTerms(one.event.terms, terms, 'workspace', nearest) : [];
    return flaws.length === 0 ? one : { ok: false, problem: invalidEvent(flaws) };
  });
}
