import { resolveWorkspace, type Identity } from '../auth/authenticate.ts';
import type { Catalogue } from '../events/catalogue.ts';
import type { AuditEventInput } from '../events/event.ts';
import type { Flaw } from '../events/flaw.ts';
import { SYSTEM_WORKSPACE } from '../events/own-event.ts';
import { prepareEvent, type PreparedEvent } from '../events/prepare.ts';
import type { Nearest } from '../events/terms.ts';
import type { Problem } from '../http/problem.ts';

/** An event of a request, ready for the store, or why it is not. */
export type PreparedOne = { ok: true; event: PreparedEvent } | { ok: false; problem: Problem };

/**
 * Resolves the workspace of an event and prepares it.
 * @param flaws what reading its JSON found, with pointers into the event
 * @param catalogue what the team's own Worker holds every event to
 * @param nearest what the events of a batch share
 */
export function prepareOne(
  raw: unknown,
  flaws: readonly Flaw[],
  identity: Identity,
  catalogue: Catalogue | undefined,
  nearest?: Nearest,
): PreparedOne {
  const asked =
    typeof raw === 'object' && raw !== null && 'workspace_id' in raw ? raw.workspace_id : undefined;
  const workspace = resolveWorkspace(identity, typeof asked === 'string' ? asked : undefined);
  const isForbidden = workspace.ok
    ? workspace.workspaceId === SYSTEM_WORKSPACE
    : workspace.reason === 'forbidden';
  if (isForbidden) {
    const detail = 'The API key does not cover the workspace_id of this event.';
    return { ok: false, problem: { code: 'workspace_forbidden', detail } };
  }
  const prepared = prepareEvent(raw, {
    workspaceId: workspace.ok ? workspace.workspaceId : '',
    keyId: identity.kind === 'key' ? identity.claims.id : null,
    now: Date.now(),
    checkWindow: true,
  });
  // Reading the JSON and measuring its value find some of the same flaws.
  const isNew = (flaw: Flaw) =>
    !flaws.some(({ pointer, code }) => pointer === flaw.pointer && code === flaw.code);
  const found = [...flaws, ...(prepared.ok ? [] : prepared.flaws.filter(isNew))];
  if (!workspace.ok && (asked === undefined || asked === null)) {
    const detail = 'The API key covers several workspaces: say which one this event belongs to.';
    found.push({ pointer: '/workspace_id', code: 'required', detail });
  }
  // What is prepared is an event.
  if (prepared.ok && catalogue !== undefined) found.push(...catalogue.check(raw as AuditEventInput, nearest));
  if (prepared.ok && found.length === 0) return prepared;
  return { ok: false, problem: invalidEvent(found) };
}

export function invalidEvent(flaws: readonly Flaw[]): Problem {
  const tooLarge =
    flaws.length > 0 && flaws.every(({ code, pointer }) => code === 'too_large' && pointer === '');
  const count = flaws.length === 1 ? 'one place' : `${flaws.length} places`;
  const detail = `Nothing was stored: the event is wrong in ${count}.`;
  return { code: tooLarge ? 'too_large' : 'invalid_event', detail, errors: flaws.slice(0, 100) };
}
