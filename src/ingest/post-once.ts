import type { AppContext } from '../auth/context.ts';
import { appendOnce, type OnceOutcome } from '../db/append-once.ts';
import type { Sql } from '../db/client.ts';
import type { PreparedEvent } from '../events/prepare.ts';
import { ProblemError } from '../http/problem.ts';
import { deliveryProblem } from './deliver.ts';
import { hashBody } from './idempotency.ts';

/** ms; a call that takes longer has failed, and may have stored the event all the same. */
const CALL_LIMIT = 7000;
/** Bytes of rows on their way in this isolate: these events are not in the writer, which bounds the others. */
const MAX_UNDER_WAY = 4 * 1024 * 1024;

export interface KeyedEvent {
  key: string;
  /** as sent */
  body: unknown;
  event: PreparedEvent;
}

/** Answers `POST /v1/events` with an Idempotency-Key. */
export type PostOnce = (c: AppContext, keyed: KeyedEvent) => Promise<Response>;

/**
 * Each event is a call of its own, for a key is kept in its event's transaction: 201 committed, 200 duplicate, and either
 * again as a replay; 409 conflict; 422 when the key was used for another body or the database refuses the event; 503 when
 * the outcome is not known.
 * @param secrets of the deployment, the one in use first
 */
export function createPostOnce(sql: Sql, secrets: readonly string[]): PostOnce {
  // By their deadlines, so that what a cancelled request leaves behind counts no longer than its call could last.
  const underWay = new Set<{ bytes: number; until: number }>();

  async function store({ key, body, event }: KeyedEvent): Promise<OnceOutcome> {
    const call = { bytes: event.bytes, until: Date.now() + CALL_LIMIT };
    underWay.add(call);
    try {
      const { id, workspaceId: workspace_id, createdAt: created_at, redacted, row } = event;
      const receipt = { id, workspace_id, created_at, redacted };
      const bodyHashes = hashBody(body, secrets);
      return await appendOnce(sql, { key, bodyHashes, row, receipt }, AbortSignal.timeout(CALL_LIMIT));
    } finally {
      underWay.delete(call);
    }
  }

  function hasRoomFor(event: PreparedEvent): boolean {
    let bytes = event.bytes;
    for (const call of underWay) {
      if (call.until < Date.now()) underWay.delete(call);
      else bytes += call.bytes;
    }
    return bytes <= MAX_UNDER_WAY;
  }

  return async function postOnce(c, keyed) {
    if (!hasRoomFor(keyed.event)) {
      throw new ProblemError({
        code: 'unavailable',
        detail: 'Too many events wait for the database. Send it again.',
        retryAfter: 2,
      });
    }
    const storing = store(keyed);
    // The client may hang up: the event is stored all the same.
    c.executionCtx.waitUntil(storing);
    const outcome = await storing;
    if (outcome.outcome !== 'stored' && outcome.outcome !== 'replayed') throw refusal(keyed.event, outcome);
    if (outcome.outcome === 'replayed') c.header('Idempotent-Replayed', 'true');
    return c.json(outcome.receipt, outcome.receipt.result === 'duplicate' ? 200 : 201);
  };
}

type Refusal = Exclude<OnceOutcome, { outcome: 'stored' | 'replayed' }>;

function refusal(event: PreparedEvent, outcome: Refusal): ProblemError {
  if (outcome.outcome === 'reused') {
    return new ProblemError({
      code: 'idempotency_key_reused',
      detail:
        'This Idempotency-Key was used for another body in the last 48 hours. Nothing was stored: send it under a key of its own.',
    });
  }
  if (outcome.outcome === 'conflict') {
    const { leaf_hash: leafHash } = outcome;
    return new ProblemError(deliveryProblem(event, { result: 'conflict', leafHash }));
  }
  const { failure } = outcome;
  if (failure.kind === 'refused') {
    const { sqlstate, constraint } = failure;
    const ids = [event.id];
    console.error(
      JSON.stringify({ event: 'refused', reason: 'refused', count: 1, ids, sqlstate, constraint }),
    );
    return new ProblemError(deliveryProblem(event, { result: 'refused', sqlstate, constraint }));
  }
  return new ProblemError({
    ...deliveryProblem(event, { result: 'unavailable' }),
    // With the id of this answer in it, it would be another body.
    detail: 'The event is not known to be stored. Send the same body again with the same Idempotency-Key.',
  });
}
