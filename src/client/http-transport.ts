import { placeOf } from './place-of.ts';
import type { BatchOutcome, EventOutcome, Receipt, Transport } from './transport.ts';

export interface HttpOptions {
  url: string;
  apiKey: string;
  fetch: typeof fetch;
  /** ms */
  timeout: number;
}

/** What a batch is answered with; see docs/api.md. */
interface Answer {
  results?: { result: string; receipt?: Receipt; problem?: Problem }[];
}

interface Problem {
  code?: string;
  detail?: string;
  errors?: { pointer: string; code: string; detail?: string }[];
}

/** Sends batches to Daybook, and waits for the commit: nobody else does. */
export function httpTransport({ fetch, ...options }: HttpOptions): Transport {
  const endpoint = `${options.url.replace(/\/+$/, '')}/v1/events/batch?ack=committed`;
  const headers = { Authorization: `Bearer ${options.apiKey}`, 'Content-Type': 'application/json' };

  async function send(events: readonly string[]): Promise<BatchOutcome> {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers,
      body: `{"events":[${events.join()}]}`,
      signal: AbortSignal.timeout(options.timeout),
      // To follow would lose the body: the URL is to be mended.
      redirect: 'manual',
    });
    const told = response.headers.get('Retry-After') ?? '';
    // Seconds, or a date as proxies send it.
    const retryAfter = Number(told) * 1000 || Date.parse(told) - Date.now() || 0;
    return read(response.status, retryAfter, await response.text(), events.length);
  }
  return { send };
}

/**
 * What is wrong with the batch itself. Anything else is the network's, the platform's or a matter of key, URL or version
 * that an operator has to mend, while the events wait.
 */
const REFUSED = /^(?:malformed_json|too_(?:large|many_events)|invalid_(?:batch|event))$/;

function read(status: number, retryAfter: number, body: string, count: number): BatchOutcome {
  const answer = parsed(body);
  const results = answer?.results;
  if (results?.length === count) return { kind: 'answered', outcomes: results.map(outcomeOf), retryAfter };
  const { code: said, detail = '' } = (answer ?? {}) as Problem;
  // A firewall may answer with JSON of its own.
  const code = typeof said === 'string' ? said : undefined;
  const reason = code ?? String(status);
  // Of 413 a proxy says as much.
  if (REFUSED.test(reason) || status === 413) return { kind: 'refused', code: reason, detail };
  const isPage = code === undefined && status >= 400;
  return {
    kind: 'later',
    reason: isPage || code ? reason : `${reason}: is the url right?`,
    retryAfter,
    // What Daybook itself says is of the key or of its state; its 500, and what others say, may be of what an event holds.
    isSuspect: isPage || status === 500,
    isBlocked: isPage && BLOCKED.test(reason),
  };
}

/** Of 401, 404, 407, 408 and 42x it is not what an event holds. */
const BLOCKED = /^4(?!0[1478]|2)/;

/** What stands between may answer with anything. */
function parsed(body: string): Answer | undefined {
  try {
    return JSON.parse(body) as Answer;
  } catch {
    return undefined;
  }
}

function outcomeOf({ receipt, problem }: NonNullable<Answer['results']>[number]): EventOutcome {
  if (receipt) return { result: 'stored', receipt };
  const { code = 'unavailable', detail = '', errors = [] } = problem ?? {};
  if (isAhead(errors)) return { result: 'later', reason: 'id_window' };
  if (LATER.test(code)) return { result: 'later', reason: code };
  const places = errors.map((error) => ` ${error.code} at ${placeOf(error)}.`).join('');
  return { result: 'refused', code, detail: detail + places };
}

/** What passes, or what an operator has to mend, as for a batch. */
const LATER = /^(?:unavailable|workspace_forbidden)$/;

/** The clock that made the id is ahead, and all else that is wrong is wrong for that: the time will come when it is taken. */
function isAhead(errors: readonly { code: string; detail?: string }[]): boolean {
  return (
    errors.some(({ code }) => code === 'id_window') &&
    errors.every(({ detail = '' }) => /ahead of now/.test(detail))
  );
}
