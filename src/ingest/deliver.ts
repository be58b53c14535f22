import type { PreparedEvent } from '../events/prepare.ts';
import type { AppContext } from '../auth/context.ts';
import { ProblemError, type Problem } from '../http/problem.ts';
import { within } from '../http/within.ts';
import type { Ack } from './ack.ts';
import type { WriteOutcome } from './group.ts';
import type { Writer } from './writer.ts';

/** ms that an answer waits for the commit; the write itself goes on. */
const COMMIT_PATIENCE = 10_000;

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

export type Delivery = { result: 'accepted' } | WriteOutcome;

/**
 * Hands events to the writer and answers as the ack promises: at once for `accepted`, after the commit for `committed`.
 * @throws ProblemError (503) before anything is acknowledged, when this isolate holds too much already
 */
export async function deliver(
  c: AppContext,
  writer: Writer,
  events: readonly PreparedEvent[],
  ack: Ack,
  atomic = false,
): Promise<readonly Delivery[]> {
  if (!writer.hasRoomFor(events)) {
    throw new ProblemError({
      code: 'unavailable',
      detail: 'Too many events wait for the database. Send it again.',
      retryAfter: 2,
    });
  }
  const written = writer.write(events, {
    atomic,
    urgent: ack === 'committed',
    onSettled: (outcomes) => report(events, outcomes, ack),
  });
  // In waitUntil even when the answer waits for it: the client may hang up, and others' events travel along.
  c.executionCtx.waitUntil(written);
  if (ack === 'accepted') return events.map(() => ({ result: 'accepted' }));

  const outcomes = await within(COMMIT_PATIENCE, written);
  return outcomes ?? events.map(() => ({ result: 'unavailable' }));
}

/** @returns nothing for an event that was neither accepted nor stored */
export function receipt(event: PreparedEvent, delivery: Delivery): Receipt | undefined {
  const { result } = delivery;
  if (result !== 'accepted' && result !== 'committed' && result !== 'duplicate') return undefined;
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

/** What a client is told of an event that was not stored, or is not known to be. */
export function deliveryProblem(event: PreparedEvent, delivery: Delivery): Problem {
  // The server may have made the id: only with it can the client send the event again without storing it twice.
  const { id, workspaceId: workspace_id, createdAt: created_at } = event;
  switch (delivery.result) {
    case 'conflict':
      return {
        code: 'conflict',
        detail:
          'An event with this id and other content is stored, and stays as it is. Send a new event under a new id.',
        members: { id, workspace_id, leaf_hash: delivery.leafHash },
      };
    case 'refused':
      return {
        code: 'refused_event',
        detail: 'The database refuses this event, and it was not stored. The log of the Worker says why.',
        members: { id, workspace_id },
      };
    default:
      return {
        code: 'unavailable',
        detail:
          'The event is not known to be stored. Send it again with the same id, which is in this answer.',
        members: { id, workspace_id, created_at },
        retryAfter: 2,
      };
  }
}

/**
 * An acknowledged event that is not in the log is the one thing an operator must hear of. What the database refuses, it
 * hears of in any case: the client is told no more than that.
 */
function report(events: readonly PreparedEvent[], outcomes: readonly WriteOutcome[], ack: Ack): void {
  for (const result of ['unavailable', 'refused', 'conflict'] as const) {
    const outcome = outcomes.find((candidate) => candidate.result === result);
    if (outcome === undefined || (ack === 'committed' && result !== 'refused')) continue;
    const broken = events.filter((_, index) => outcomes[index]?.result === result);
    console.error(
      JSON.stringify({
        event: ack === 'committed' ? 'refused' : 'accepted_not_stored',
        reason: result,
        count: broken.length,
        ids: broken.slice(0, 20).map(({ id }) => id),
        ...(outcome.result === 'refused' && { sqlstate: outcome.sqlstate, constraint: outcome.constraint }),
      }),
    );
  }
}
