import { SYSTEM_WORKSPACE } from '../events/own-event.ts';
import { prepareEvent, type PreparedEvent } from '../events/prepare.ts';
import { MAX_AHEAD_MS } from '../events/time.ts';
import { isWorkspaceId } from '../events/workspace-id.ts';
import type { ColumnOf, Reason } from './reason.ts';
import { NO_WORKSPACE, reasonOf } from './reason.ts';

/** An event that is to be stored, with what the import needs to know of it. */
export type PreparedRow =
  | { ok: true; event: PreparedEvent; hasAddress: boolean }
  | { ok: false; reasons: Reason[] };

/** An event as its source gives it, its id and workspace apart. */
export interface RawEvent {
  event: Record<string, unknown>;
  workspaceId: unknown;
  /** ms since 1970 */
  createdAt: number;
  /** makes the id, of the workspace */
  idOf(workspaceId: string): unknown;
}

/**
 * Makes an event of the past ready for the store: `created_at` is the time in its id, and may be any from 1970 to now.
 * @param now ms since 1970
 */
export function prepareRow(
  { event, workspaceId, createdAt, idOf }: RawEvent,
  now: number,
  columnOf?: ColumnOf,
): PreparedRow {
  const late = createdAtFault(createdAt, now);
  if (late !== undefined) return refuse({ ...reasonOf(late, columnOf) });
  if (workspaceId === undefined || workspaceId === null) return refuse(reasonOf(noWorkspace, columnOf));
  if (typeof workspaceId !== 'string' || !isWorkspaceId(workspaceId))
    return refuse(reasonOf(badWorkspace, columnOf));
  if (workspaceId === SYSTEM_WORKSPACE) return refuse(reasonOf(ownWorkspace, columnOf));
  const id = idOf(workspaceId);
  const prepared = prepareEvent({ ...event, id }, { workspaceId, keyId: null, now, checkWindow: false });
  if (!prepared.ok) return { ok: false, reasons: prepared.flaws.map((flaw) => reasonOf(flaw, columnOf)) };
  return { ok: true, event: prepared.event, hasAddress: addressOf(event) };
}

function createdAtFault(createdAt: number, now: number) {
  const code = 'time_out_of_range' as const;
  if (createdAt < 0) return { pointer: '/created_at', code, detail: 'Ids hold the times from 1970 on.' };
  if (createdAt > now + MAX_AHEAD_MS)
    return { pointer: '/created_at', code, detail: 'This time is yet to come.' };
  return undefined;
}

const noWorkspace = {
  pointer: '/workspace_id',
  code: NO_WORKSPACE,
  detail: 'This row names no workspace: add --workspace, for rows that name none.',
};

const badWorkspace = {
  pointer: '/workspace_id',
  code: 'invalid_value' as const,
  detail: 'This is not the id of one workspace: 1 to 128 characters, and not *.',
};

const ownWorkspace = {
  pointer: '/workspace_id',
  code: 'invalid_value' as const,
  detail: 'Only the service writes to its own workspace.',
};

function refuse(reason: Reason): PreparedRow {
  return { ok: false, reasons: [reason] };
}

function addressOf({ context }: Record<string, unknown>): boolean {
  return (
    typeof context === 'object' &&
    context !== null &&
    'ip_address' in context &&
    typeof context.ip_address === 'string'
  );
}
