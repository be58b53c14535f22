import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseConnectionString } from './connection-string.ts';
import type { Endpoint } from './endpoint.ts';
import type { Engine, StatementResult, TransactionOptions } from './engine.ts';
import { ComputeUnreachable, PostgresError, ResultTooLarge } from './engine-errors.ts';
import { type Answer } from './error-answer.ts';
import { connectionClosed, type Fault } from './fault.ts';
import { readBody, readHalf } from './read-body.ts';
import { parseBody, type SqlBody } from './request-body.ts';
import { parseRequestHeaders, type RequestOptions } from './request-headers.ts';
import { resultJson } from './result-json.ts';

export interface SqlContext {
  engine: Engine;
  endpoint: Endpoint;
  limits: { maxRequestBytes: number; maxResponseBytes: number };
}

/**
 * Reads a request, runs it, and lets happen to it what the endpoint's `interceptHead` and `intercept` order.
 *
 * @param gone aborted when nobody waits for the answer any more
 * @returns undefined when the connection is to break instead
 * @throws what the checks and the engine throw
 */
export async function answerSql(
  { engine, endpoint, limits }: SqlContext,
  request: IncomingMessage,
  gone: AbortSignal,
): Promise<(Answer & { headers: Record<string, string> }) | undefined> {
  const credentials = parseConnectionString(request.headers['neon-connection-string']);
  const options = parseRequestHeaders(request.headers);
  if (endpoint.interceptHead?.()) {
    await readHalf(request);
    return undefined;
  }
  const body = parseBody(await readBody(request, limits.maxRequestBytes));
  endpoint.requests += 1;
  endpoint.statements += body.queries.length;
  const fault = await endpoint.intercept?.({ statements: body.queries, sequence: endpoint.requests });
  if (endpoint.delayMs > 0) await sleep(endpoint.delayMs, undefined, { signal: gone });
  if (fault && (await before(fault, gone)) === 'break') return undefined;
  const results = await engine.run(credentials, {
    statements: body.queries,
    transaction: body.batch ? options.transaction : undefined,
    maxResultBytes: limits.maxResponseBytes,
    signal: gone,
  });
  const json = bodyJson(results, body, options);
  if (Buffer.byteLength(json) > limits.maxResponseBytes) throw new ResultTooLarge('too many bytes of JSON');
  if (fault && (await after(fault, gone)) === 'break') return undefined;
  return { status: 200, body: json, headers: body.batch ? echo(options.transaction) : {} };
}

function bodyJson(results: StatementResult[], { queries, batch }: SqlBody, options: RequestOptions): string {
  const { rawText } = options;
  const texts = results.map((result, index) => {
    return resultJson(result, { rawText, arrayMode: queries[index]?.arrayMode ?? options.arrayMode });
  });
  return batch ? `{"results":[${texts.join(',')}]}` : texts.join('');
}

/** Neon repeats the options of a batch in the headers of its answer. */
function echo({ isolation, readOnly, deferrable }: TransactionOptions): Record<string, string> {
  return {
    ...(readOnly && { 'Neon-Batch-Read-Only': 'true' }),
    ...(deferrable && { 'Neon-Batch-Deferrable': 'true' }),
    ...(isolation && { 'Neon-Batch-Isolation-Level': isolation }),
  };
}

async function before(fault: Fault, gone: AbortSignal): Promise<'break' | undefined> {
  switch (fault.kind) {
    case 'refuse':
      return 'break';
    case 'hang':
      if (!gone.aborted) await once(gone, 'abort');
      return 'break';
    case 'unavailable':
      throw new ComputeUnreachable(fault.message ?? "couldn't connect to compute node");
    case 'delay':
      await sleep(fault.beforeMs ?? 0, undefined, { signal: gone });
      return undefined;
    default:
      return undefined;
  }
}

async function after(fault: Fault, gone: AbortSignal): Promise<'break' | undefined> {
  switch (fault.kind) {
    case 'reset-after-commit':
      return 'break';
    case 'error-after-commit':
      throw new PostgresError({ ...connectionClosed, ...fault.error });
    case 'delay':
      await sleep(fault.afterMs ?? 0, undefined, { signal: gone });
      return undefined;
    default:
      return undefined;
  }
}
