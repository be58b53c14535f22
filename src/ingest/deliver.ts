import type { PreparedEvent } from '../events/prepare.ts';
import type { AppContext } from '../auth/context.ts';
import type { Problem } from '../http/problem.ts';
import { within } from '../http/within.ts';
import type { Ack } from './ack.ts';
import { admit } from './admit.ts';
import type { WriteOutcome } from './group.ts';
import type { Ingest } from './ingest.ts';

/** What the database names where an isolate did not know yet that a workspace is strict. */
const STRICT_WORKSPACE = 'strict_workspace';

/** ms that an answer waits for the commit or the queue; the write itself goes on. */
const PATIENCE = 10_000;

/** What a client is told of one stored or accepted event. */
export interface Receipt {
  id: string;
  workspace_id: string;
  created_at: string;
  result: Ack | 'duplicate';
  /** RFC 6901 pointers of what was replaced by `"[redacted]"` */
  redacted: string[];
  /** of the stored event, lower-case hex; once committed */
  leaf_hash?: string;
}

export type Delivery =
  | { result: 'accepted' }
  | WriteOutcome
  /** not taken in, so not stored; `retryAfter` in seconds */
  | { result: 'turned_away'; detail: string; retryAfter: number };

/**
 * Hands events to the writer of their ack and answers as it promises: at once for `accepted`, once the queue or the
 * database holds them for the others.
 * Where the promise cannot be kept now, the events are turned away before anything is acknowledged.
 */
export async function deliver(
  c: AppContext,
  ingest: Ingest,
  events: readonly PreparedEvent[],
  ack: Ack,
  atomic = false,
): Promise<readonly Delivery[]> {
  const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
  const admission = admit(ingest, ack, bytes);
  if (!admission.ok) {
    const { detail, retryAfter } = admission;
    return events.map(() => ({ result: 'turned_away', detail, retryAfter }));
  }
  const { writer, waits } = admission;
  const onSettled = waits ? undefined : (outcomes: readonly WriteOutcome[]) => report(events, outcomes);
  const waitUntil = (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise);
  const written = writer.write(events, { atomic, waitUntil, ...(onSettled && { onSettled }) });
  // Even when the answer waits for it: the client may hang up, and others' events travel along.
  waitUntil(written);
  if (!waits) return events.map(() => ({ result: 'accepted' }));

  const outcomes = await within(PATIENCE, written);
  if (outcomes === undefined) return events.map(() => ({ result: 'unavailable' }));
  if (ack !== 'accepted') return outcomes;
  return outcomes.map((outcome) => (outcome.result === 'unavailable' ? outcome : { result: 'accepted' }));
}

/** @returns nothing for an event that was neither accepted nor stored */
export function receipt(event: PreparedEvent, delivery: Delivery): Receipt | undefined {
  const { result } = delivery;
  if (!isHeld(result)) return undefined;
  const receipt: Receipt = {
    id: event.id,
    workspace_id: event.workspaceId,
    created_at: event.createdAt,
    result,
    redacted: event.redacted,
  };
  if (result === 'committed') receipt.leaf_hash = event.leafHash;
  if (result === 'duplicate') receipt.leaf_hash = delivery.leafHash;
  return receipt;
}

function isHeld(result: Delivery['result']): result is Receipt['result'] {
  return result === 'accepted' || result === 'queued' || result === 'committed' || result === 'duplicate';
}

/** What a client is told of an event that was not stored, or is not known to be. */
export function deliveryProblem(event: PreparedEvent, delivery: Delivery): Problem {
  // The server may have made the id: only with it can the client send the event again without storing it twice.
  const { id, workspaceId: workspace_id, createdAt: created_at } = event;
  const unavailable = (detail: string, retryAfter: number): Problem => ({
    code: 'unavailable',
    detail,
    members: { id, workspace_id, created_at },
    retryAfter,
  });
  switch (delivery.result) {
    case 'conflict':
      return {
        code: 'conflict',
        detail:
          'An event with this id and other content is stored, and stays as it is. Send a new event under a new id.',
        members: { id, workspace_id, leaf_hash: delivery.leafHash },
      };
    case 'refused':
      if (delivery.constraint === STRICT_WORKSPACE) {
        return {
          code: 'invalid_event',
          detail:
            'The workspace is strict, and does not take the action or a target type of this event: GET /v1/actions lists what it takes.',
          members: { id, workspace_id },
        };
      }
      return {
        code: 'refused_event',
        detail: 'The database refuses this event, and it was not stored. The operator can see why.',
        members: { id, workspace_id },
      };
    case 'no_partition':
      return unavailable(
        'The database has no room for the time of this event yet: a partition is missing. Nothing was stored: send it again later.',
        60,
      );
    case 'turned_away':
      return unavailable(delivery.detail, delivery.retryAfter);
    default:
      return unavailable(
        'The event is not known to be stored. Send it again with the same id, which is in this answer.',
        2,
      );
  }
}

/** An acknowledged event that neither the database nor the queue took is the one thing an operator must hear of. */
function report(events: readonly PreparedEvent[], outcomes: readonly WriteOutcome[]): void {
  const lost = events.filter((_, index) => outcomes[index]?.result === 'unavailable');
  if (lost.length === 0) return;
  const ids = lost.slice(0, 20).map(({ id }) => id);
  console.error(JSON.stringify({ event: 'accepted_not_stored', count: lost.length, ids }));
}
