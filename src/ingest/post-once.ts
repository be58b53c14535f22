import type { AppContext } from '../auth/context.ts';
import { appendOnce, type KeyedRow, type OnceOutcome } from '../db/append-once.ts';
import type { Sql } from '../db/client.ts';
import type { PreparedEvent } from '../events/prepare.ts';
import { BodyBudget } from '../http/body-budget.ts';
import { ProblemError } from '../http/problem.ts';
import { isWorthWaiting } from './admit.ts';
import type { Breaker } from './breaker.ts';
import { CALL_LIMIT } from './database.ts';
import { deliveryProblem } from './deliver.ts';
import { hashBody } from './idempotency.ts';
import { backoff } from './send.ts';
import { TokenBucket } from './token-bucket.ts';

/** ms for which a call that failed is made again: no later one begins, and the answer takes no more than twice as long. */
const PATIENCE = 5000;
/** Calls a second in this isolate, for each is one of the database, and at once; one waits for its turn up to so many ms. */
const RATE = 90;
const BURST = 10;
const TURN_PATIENCE = 1000;
const NOT_TRIED: OnceOutcome = { outcome: 'failed', failure: { kind: 'unavailable', sqlstate: null } };
/** Bytes of rows on their way in this isolate: these events are in no writer, which bound the others. */
const MAX_UNDER_WAY = 4 * 1024 * 1024;
/** ms; for no longer can an event be under way, whatever became of its request. */
const LIFETIME = TURN_PATIENCE + PATIENCE + CALL_LIMIT;

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
export function createPostOnce(sql: Sql, secrets: readonly string[], breaker: Breaker): PostOnce {
  const bucket = new TokenBucket(RATE, BURST);
  // One share for all keys: what it bounds is this isolate.
  const budget = new BodyBudget({ total: MAX_UNDER_WAY, perKey: MAX_UNDER_WAY, lifetime: LIFETIME });

  /** @param turn ms to wait before the first call */
  async function store({ key, body, event }: KeyedEvent, turn: number): Promise<OnceOutcome> {
    const until = Date.now() + turn + PATIENCE;
    const { id, workspaceId: workspace_id, createdAt: created_at, redacted, row } = event;
    const receipt = { id, workspace_id, created_at, redacted };
    const keyed = { key, bodyHashes: hashBody(body, secrets), row, receipt };
    if (turn > 0) await pause(turn);
    let refusedAt: number | undefined;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = breaker.admits() ? await tryOnce(keyed, until) : NOT_TRIED;
      if (!isUnavailable(outcome)) return attempt > 0 ? own(outcome, event) : outcome;
      const wait = backoff(attempt);
      if (outcome === NOT_TRIED) refusedAt ??= Date.now();
      const isHopeless = outcome !== NOT_TRIED && !breaker.isClosed;
      if (isHopeless || Date.now() + wait >= until || !isWorthWaiting(breaker, refusedAt)) return outcome;
      await pause(wait);
    }
  }

  async function storeOrRefuse(keyed: KeyedEvent, turn: number): Promise<Kept | ProblemError> {
    const outcome = await store(keyed, turn);
    const isKept = outcome.outcome === 'stored' || outcome.outcome === 'replayed';
    return isKept ? outcome : refusal(keyed.event, outcome);
  }

  function tryOnce(keyed: KeyedRow, until: number): Promise<OnceOutcome> {
    const limit = Math.max(1, Math.min(CALL_LIMIT, until + PATIENCE - Date.now()));
    return breaker.watch(appendOnce(sql, keyed, AbortSignal.timeout(limit)), isUnavailable);
  }

  return async function postOnce(c, keyed) {
    const turn = bucket.take();
    if (turn > TURN_PATIENCE) throw new ProblemError({ code: 'unavailable', detail: FULL, retryAfter: 2 });
    if (!isWorthWaiting(breaker)) {
      throw new ProblemError({
        code: 'unavailable',
        detail: 'The database does not answer. Nothing was stored: send it again.',
        retryAfter: Math.ceil(breaker.wait / 1000),
      });
    }
    const release = budget.reserve('', keyed.event.bytes);
    if (release === undefined) throw new ProblemError({ code: 'unavailable', detail: FULL, retryAfter: 2 });
    const storing = storeOrRefuse(keyed, turn).finally(release);
    // The client may hang up: the event is stored all the same.
    c.executionCtx.waitUntil(storing);
    const outcome = await storing;
    if (outcome instanceof ProblemError) throw outcome;
    if (outcome.outcome === 'replayed') c.header('Idempotent-Replayed', 'true');
    return c.json(outcome.receipt, outcome.receipt.result === 'duplicate' ? 200 : 201);
  };
}

type Kept = Extract<OnceOutcome, { outcome: 'stored' | 'replayed' }>;
type Refusal = Exclude<OnceOutcome, Kept>;

const FULL = 'Too many events wait for the database. Nothing was stored: send it again.';

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The event is not at fault, and the outcome may be another the next time. */
function isUnavailable(outcome: OnceOutcome): boolean {
  return outcome.outcome === 'failed' && outcome.failure.kind === 'unavailable';
}

/** A replay with this event's own leaf hash is of our call before, whose answer was lost: salts are random. */
function own(outcome: OnceOutcome, { leafHash }: PreparedEvent): OnceOutcome {
  const isOwn = outcome.outcome === 'replayed' && outcome.receipt.leaf_hash === leafHash;
  return isOwn ? { outcome: 'stored', receipt: outcome.receipt } : outcome;
}

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
  if (failure.kind === 'no_partition') {
    return new ProblemError(deliveryProblem(event, { result: 'no_partition' }));
  }
  if (failure.kind === 'refused') {
    const { sqlstate, constraint } = failure;
    const refused = { result: 'refused' as const, sqlstate, constraint, detail: '' };
    // Not kept as a dead letter: tried again from there, and sent again with its key, it would be stored twice.
    console.error(JSON.stringify({ event: 'refused', count: 1, ids: [event.id], sqlstate, constraint }));
    return new ProblemError(deliveryProblem(event, refused));
  }
  return new ProblemError({
    ...deliveryProblem(event, { result: 'unavailable' }),
    // With the id of this answer in it, it would be another body.
    detail: 'The event is not known to be stored. Send the same body again with the same Idempotency-Key.',
  });
}
