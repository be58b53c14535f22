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
  errors?: { pointer: string; code: string }[];
}

/** Sends batches to Daybook, and waits for the commit: nobody else does. */
export function httpTransport({ url, apiKey, fetch, timeout }: HttpOptions): Transport {
  const endpoint = `${url.replace(/\/+$/, '')}/v1/events/batch?ack=committed`;
  const headers = { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' };

  async function send(events: readonly string[]): Promise<BatchOutcome> {
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers,
        body: `{"events":[${events.join()}]}`,
        signal: AbortSignal.timeout(timeout),
      });
      return read(response.status, retryAfter(response), await response.text(), events.length);
    } catch (error) {
      return { kind: 'later', reason: error instanceof Error ? error.name : 'unknown' };
    }
  }
  return { send };
}

/**
 * What is wrong with the batch itself. Anything else is the network's, the platform's or a matter of key, URL or version
 * that an operator has to mend, while the events wait.
 */
const REFUSED = new Set(['malformed_json', 'too_large', 'too_many_events', 'invalid_batch', 'invalid_event']);

function read(status: number, retryAfter: number | undefined, body: string, count: number): BatchOutcome {
  const answer = parsed(body);
  const results = answer?.results;
  if (results?.length === count) return { kind: 'answered', outcomes: results.map(outcomeOf), retryAfter };
  const { code = String(status), detail = '' } = (answer ?? {}) as Problem;
  // Of 413 a proxy says as much.
  if (REFUSED.has(code) || status === 413) return { kind: 'refused', code, detail };
  return { kind: 'later', reason: code, retryAfter };
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
  const { code = '', detail = '', errors = [] } = problem ?? {};
  if (code === '' || code === 'unavailable') return { result: 'later' };
  const places = errors.map((error) => ` ${error.code} at ${placeOf(error)}.`).join('');
  return { result: 'refused', code, detail: detail + places };
}

/** Without the names that the event itself chose: this ends in a log. */
function placeOf({ pointer, code }: { pointer: string; code: string }): string {
  const known = /^\/(?:metadata|old_value|new_value)(?=\/)/.exec(pointer)?.[0];
  if (known !== undefined) return `${known}/…`;
  return code === 'unknown_field' ? pointer.replace(/[^/]*$/, '…') : pointer || 'the event';
}

/** ms; a date is not what Daybook sends. */
function retryAfter({ headers }: Response): number | undefined {
  const seconds = Number(headers.get('Retry-After') ?? NaN);
  return seconds >= 0 ? seconds * 1000 : undefined;
}
