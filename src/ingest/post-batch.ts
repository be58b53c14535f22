import { utf8Length } from '../events/measure.ts';
import type { PreparedEvent } from '../events/prepare.ts';
import { NearestTerms } from '../events/terms.ts';
import { mediaType, readText } from '../http/body.ts';
import type { AppContext } from '../auth/context.ts';
import { ProblemError, problemBody, PROBLEMS, type Problem } from '../http/problem.ts';
import { readQuery } from '../http/query.ts';
import { readAck, type Ack } from './ack.ts';
import { deliver, deliveryProblem, receipt, type Delivery, type Receipt } from './deliver.ts';
import { refuseIdempotencyKey } from './idempotency.ts';
import { holdToCatalogue } from './hold-to-catalogue.ts';
import type { Ingest } from './ingest.ts';
import { prepareOne, type PreparedOne } from './prepare-one.ts';
import { BATCH_MAX_BYTES, readJsonBatch, readNdjsonBatch } from './read-batch.ts';

/** Neon takes 10 MiB in a call; the rest is for the statement around the rows. */
const MAX_CALL_BYTES = 9.5 * 1024 * 1024;
const NDJSON = 'application/x-ndjson';

interface BatchResult {
  index: number;
  result: Receipt['result'] | 'conflict' | 'rejected';
  receipt?: Receipt;
  problem?: ReturnType<typeof problemBody>;
}

/** `POST /v1/events/batch`: each event gets its own result; uniform results carry their own status, mixed ones 207. */
export async function postBatch(c: AppContext, ingest: Ingest): Promise<Response> {
  refuseIdempotencyKey(c);
  const { atomic, ack } = readWish(c, ingest.defaultAck);
  c.header('Daybook-Ack', ack);
  const text = await readText(c, ['application/json', NDJSON]);
  const reading = mediaType(c) === NDJSON ? readNdjsonBatch(text) : readJsonBatch(text);
  if (!reading.ok) throw new ProblemError(reading.problem);

  const identity = c.get('identity');
  const nearest = new NearestTerms();
  const read = reading.items.map((item): PreparedOne =>
    item.ok ? prepareOne(item.value, item.flaws, identity, ingest.catalogue, nearest) : item,
  );
  const prepared = await holdToCatalogue(c, ingest.catalogues, read);
  const events = prepared.flatMap((one) => (one.ok ? [one.event] : []));
  if (isTooLarge(events, atomic)) {
    throw new ProblemError({
      code: 'too_large',
      detail:
        'The batch is too large once its numbers, quotes and backslashes are written out. Nothing was stored: split it.',
    });
  }
  if (atomic) refuseFlawed(prepared);

  const deliveries = events.length === 0 ? [] : await deliver(c, ingest, events, ack, atomic);
  if (atomic) refuseUndelivered(events, deliveries);

  const origin = new URL(c.req.url).origin;
  const pending = deliveries.values();
  const results = prepared.map((one, index): BatchResult => {
    if (!one.ok) return rejection(index, one.problem, origin, c.get('requestId'));
    const delivery = pending.next().value ?? { result: 'unavailable' };
    return batchResult(index, one.event, delivery, origin, c.get('requestId'));
  });
  const accepted = results.filter((result) => result.receipt !== undefined).length;
  const status = batchStatus(results);
  if (status === PROBLEMS.unavailable.status) c.header('Retry-After', String(retryAfter(deliveries)));
  return c.json({ accepted, rejected: results.length - accepted, results }, status);
}

/** What is written for the database may be several times as long as it was sent, and an atomic batch has to fit into one call. */
function isTooLarge(events: readonly PreparedEvent[], atomic: boolean): boolean {
  const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
  if (bytes > 2 * BATCH_MAX_BYTES) return true;
  // A call is JSON, which writes one byte as six at most. Looking closely costs, and few batches come near.
  if (!atomic || 6 * bytes <= MAX_CALL_BYTES) return false;
  return events.reduce((sum, { row }) => sum + utf8Length(JSON.stringify(row)), 0) > MAX_CALL_BYTES;
}

/** seconds; the longest that any event is told */
function retryAfter(deliveries: readonly Delivery[]): number {
  return Math.max(2, ...deliveries.map((one) => (one.result === 'turned_away' ? one.retryAfter : 0)));
}

function batchResult(
  index: number,
  event: PreparedEvent,
  delivery: Delivery,
  origin: string,
  requestId: string,
): BatchResult {
  const given = receipt(event, delivery);
  if (given !== undefined) return { index, result: given.result, receipt: given };
  const rejected = rejection(index, deliveryProblem(event, delivery), origin, requestId);
  return delivery.result === 'conflict' ? { ...rejected, result: 'conflict' } : rejected;
}

function rejection(index: number, problem: Problem, origin: string, requestId: string): BatchResult {
  return { index, result: 'rejected', problem: problemBody(problem, origin, requestId) };
}

function batchStatus(results: readonly BatchResult[]): 200 | 201 | 202 | 207 | 409 | 422 | 503 {
  const [first, ...others] = new Set(results.map(resultStatus));
  return first === undefined || others.length > 0 ? 207 : first;
}

function resultStatus({ result, problem }: BatchResult): 200 | 201 | 202 | 409 | 422 | 503 {
  switch (result) {
    case 'duplicate':
      return 200;
    case 'committed':
      return 201;
    case 'accepted':
    case 'queued':
      return 202;
    case 'conflict':
      return 409;
    case 'rejected':
      return problem?.status === PROBLEMS.unavailable.status ? 503 : 422;
  }
}

/** @throws ProblemError when the parameters are not valid or contradict each other */
function readWish(c: AppContext, usual: Ack): { atomic: boolean; ack: Ack } {
  const { ack, atomic = 'false' } = readQuery(c, ['ack', 'atomic']);
  if (atomic !== 'true' && atomic !== 'false') {
    throw new ProblemError({ code: 'invalid_query', detail: 'atomic must be true or false.' });
  }
  if (atomic === 'false') return { atomic: false, ack: readAck(ack, usual) };
  if (readAck(ack, 'committed') === 'committed') return { atomic: true, ack: 'committed' };
  throw new ProblemError({
    code: 'invalid_query',
    detail: 'atomic=true implies ack=committed: ask for no other.',
  });
}

/** All or nothing: one flawed event refuses the batch. */
function refuseFlawed(prepared: readonly PreparedOne[]): void {
  const errors = prepared.flatMap((one, index) => {
    if (one.ok) return [];
    const places = one.problem.errors ?? [
      { pointer: '', code: one.problem.code, detail: one.problem.detail },
    ];
    return places.map((place) => ({ ...place, pointer: `/events/${index}${place.pointer}` }));
  });
  if (errors.length > 0) {
    throw new ProblemError({
      code: 'invalid_batch',
      detail: 'Nothing was stored: the batch is atomic.',
      errors: errors.slice(0, 100),
    });
  }
}

/** @throws ProblemError when the atomic batch was not stored, or is not known to be */
function refuseUndelivered(events: readonly PreparedEvent[], deliveries: readonly Delivery[]): void {
  const failed = deliveries.find(
    ({ result }) => result !== 'committed' && result !== 'duplicate' && result !== 'aborted',
  );
  if (failed === undefined) return;
  const problems = events.flatMap((event, index) => {
    const delivery = deliveries[index];
    return delivery?.result === failed.result ? [{ index, ...deliveryProblem(event, delivery) }] : [];
  });
  const [first] = problems;
  if (first === undefined) return;
  const isUnknown = failed.result === 'unavailable';
  throw new ProblemError({
    code: first.code,
    detail: isUnknown
      ? 'The batch is not known to be stored. Send it again with the same ids, which are in this answer.'
      : 'Nothing was stored: the batch is atomic.',
    errors: problems.slice(0, 100).map(({ index, ...problem }) => ({
      pointer: `/events/${index}`,
      code: problem.code,
      detail: problem.detail,
    })),
    ...(first.retryAfter !== undefined && { retryAfter: first.retryAfter }),
    ...(isUnknown && { members: { ids: events.map(({ id }) => id) } }),
  });
}
