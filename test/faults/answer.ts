import { z } from 'zod';
import { ACKS, type Ack } from './ledger.ts';

/** What an answer says of one event: promised, to be sent again, or something that a valid event must not meet. */
export type Fate =
  | { kind: 'acknowledged'; ack: Ack }
  | { kind: 'again'; reason: string }
  | { kind: 'unexpected'; what: string };

export interface HttpAnswer {
  status: number;
  body: string;
  /** seconds */
  retryAfter: number | undefined;
}

const single = z.object({ result: z.string() });
const problem = z.object({ code: z.string() });
const batch = z.object({
  results: z.array(z.object({ index: z.number(), result: z.string(), problem: problem.optional() })),
});

const AGAIN = new Set([429, 500, 503]);

/** @returns the fate of each of `count` events, in the order they were sent */
export function fatesOf({ status, body }: HttpAnswer, asked: Ack, count: number, isBatch: boolean): Fate[] {
  const json = parse(body);
  const all = (fate: Fate) => Array.from({ length: count }, () => fate);
  if (isBatch) {
    const { data } = batch.safeParse(json);
    // A batch is answered one by one, whatever its status.
    if (data !== undefined && data.results.length === count) {
      return data.results.map(({ result, problem }) => fateOf(result, asked, problem?.code));
    }
  } else if (status < 300) {
    const { data } = single.safeParse(json);
    if (data !== undefined) return all(fateOf(data.result, asked));
  }
  const code = problem.safeParse(json).data?.code ?? 'no code';
  if (AGAIN.has(status)) return all({ kind: 'again', reason: `${status} ${code}` });
  return all({ kind: 'unexpected', what: `${status} ${code}` });
}

function fateOf(result: string, asked: Ack, code?: string): Fate {
  if (code === 'unavailable') return { kind: 'again', reason: '503 unavailable' };
  const ack = result === 'duplicate' ? 'committed' : ACKS.find((known) => known === result);
  if (ack === undefined) return { kind: 'unexpected', what: `${result} ${code ?? ''}`.trim() };
  if (ACKS.indexOf(ack) < ACKS.indexOf(asked)) return { kind: 'unexpected', what: `${ack} to ack=${asked}` };
  return { kind: 'acknowledged', ack };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
