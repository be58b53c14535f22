import { ProblemError } from '../http/problem.ts';

/** What an answer promises (docs/durability.md), from the least to the most. */
export const ACKS = ['accepted', 'queued', 'committed'] as const;
export type Ack = (typeof ACKS)[number];

/**
 * The ack a request asks for.
 * @param usual what is promised where it does not ask
 * @throws ProblemError when there is no such ack
 */
export function readAck(asked: string | undefined, usual: Ack): Ack {
  const ack = ACKS.find((known) => known === (asked ?? usual));
  if (ack === undefined) {
    throw new ProblemError({ code: 'invalid_query', detail: `ack must be one of: ${ACKS.join(', ')}.` });
  }
  return ack;
}
