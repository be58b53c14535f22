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
    });
    // A date is not what Daybook sends.
    const retryAfter = Number(response.headers.get('Retry-After')) * 1000 || 0;
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
  const { code, detail = '' } = (answer ?? {}) as Problem;
  const reason = code ?? String(status);
  // Of 413 a proxy says as much.
  if (REFUSED.test(reason) || status === 413) return { kind: 'refused', code: reason, detail };
  // What Daybook itself says is of the key or of its state; its 500, and what others say, may be of what an event holds.
  return { kind: 'later', reason, retryAfter, isSuspect: code === undefined || status === 500 };
}

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
  if (code === 'unavailable') return { result: 'later', reason: code };
  // The clock that made the id is ahead: the time will come when it is taken. Too old it remains.
  const [flaw, ...others] = errors;
  if (flaw?.code === 'id_window' && others.length === 0 && !/days old/.test(flaw.detail ?? ''))
    return { result: 'later', reason: flaw.code };
  const places = errors.map((error) => ` ${error.code} at ${placeOf(error)}.`).join('');
  return { result: 'refused', code, detail: detail + places };
}

/** Without the names that the event itself chose: this ends in a log. */
function placeOf({ pointer, code }: { pointer: string; code: string }): string {
  const chosen = code === 'unknown_field' ? /[^/]*$/ : /(?<=^\/(?:metadata|old_value|new_value)\/).*/s;
  return pointer.replace(chosen, '…') || 'the event';
}
