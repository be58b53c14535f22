import { termRows, type CatalogueView, type OwnTerms } from '../catalogue/terms.ts';
import type { WorkspaceChanges } from '../catalogue/workspaces.ts';
import { VOCABULARIES } from '../events/vocabularies.ts';

interface Term {
  kind: 'action' | 'target_type';
  name: string;
}

/** What a push makes other than it is. */
export interface Difference {
  added: Term[];
  removed: Term[];
  /** terms that stay, with another description */
  described: Term[];
  /** those of the workspace, where they become others */
  vocabularies: readonly string[] | undefined;
  mode: CatalogueView['mode'];
  /** whether it was of the other mode before */
  modeChanges: boolean;
  /** what a strict workspace has none of then, and so takes no event */
  lacks: Term['kind'][];
}

export function differenceOf(
  before: CatalogueView,
  { vocabularies = [], mode = before.mode }: WorkspaceChanges,
  terms: OwnTerms,
): Difference {
  const own = new Map(
    (['action', 'target_type'] as const).flatMap((kind) =>
      before[`${kind}s`].flatMap((term) =>
        term.own ? [[keyOf({ kind, name: term.name }), { ...term, kind }] as const] : [],
      ),
    ),
  );
  const pushed = termRows(terms);
  const kept = new Set(pushed.map(keyOf));
  const builtIn = vocabularies.map((name) => VOCABULARIES[name]);
  const isSame = [...new Set(vocabularies)].toSorted().join() === before.vocabularies.toSorted().join();
  return {
    added: pushed.filter((term) => !own.has(keyOf(term))),
    removed: [...own.values()].filter((term) => !kept.has(keyOf(term))),
    described: pushed.filter((term) => {
      const was = own.get(keyOf(term));
      return was !== undefined && was.description !== (term.description ?? '');
    }),
    vocabularies: isSame ? undefined : vocabularies,
    mode,
    modeChanges: mode !== before.mode,
    lacks: (['action', 'target_type'] as const).filter(
      (kind) =>
        pushed.every((term) => term.kind !== kind) && builtIn.every((one) => one[`${kind}s`].length === 0),
    ),
  };
}

function keyOf({ kind, name }: Term): string {
  return `${kind} ${name}`;
}

const MAX_NAMES = 20;
const KINDS = { action: 'action', target_type: 'target type' };

/** What a push did, in lines for whoever ran it. */
export function describeDifference(workspaceId: string, difference: Difference): string[] {
  const { added, removed, described, vocabularies, mode, modeChanges } = difference;
  const lines = [`${workspaceId}: ${added.length} terms added, ${removed.length} removed.`];
  if (added.length > 0) lines.push(`  added: ${namesOf(added)}`);
  if (removed.length > 0) lines.push(`  removed: ${namesOf(removed)}`);
  if (described.length > 0) lines.push(`  described anew: ${namesOf(described)}`);
  if (vocabularies !== undefined) lines.push(`  vocabularies: ${vocabularies.join(', ') || 'none'}`);
  lines.push(
    mode === 'open'
      ? 'It is open: it takes anything else too. --strict makes it strict.'
      : modeChanges
        ? 'It is strict now, by this push: it takes nothing else.'
        : 'It is strict, as it was: it takes nothing else.',
  );
  if (lines.length > 2 || modeChanges) return [...lines, 'Every isolate knows within a minute.'];
  return [...lines, 'Nothing changed.'];
}

/** @returns nothing where a strict workspace takes some event */
export function warningOf({ mode, lacks }: Difference): string | undefined {
  if (mode === 'open' || lacks.length === 0) return undefined;
  const what = lacks.map((kind) => KINDS[kind]).join(' and no ');
  return `WARNING: it is strict and has no ${what}, so it refuses every event. Give the catalogue some, and push it again.`;
}

function namesOf(terms: readonly Term[]): string {
  const shown = terms.slice(0, MAX_NAMES).map(({ kind, name }) => `${KINDS[kind]} ${name}`);
  const more = terms.length - shown.length;
  return shown.join(', ') + (more > 0 ? `, and ${more} more` : '');
}
