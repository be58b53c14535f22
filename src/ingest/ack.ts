import { ProblemError } from '../http/problem.ts';

/** What an answer promises (docs/api.md). */
export const ACKS = ['accepted', 'committed'] as const;
export type Ack = (typeof ACKS)[number];

/**
 * The ack a request asks for.
 * @throws ProblemError when there is no such ack
 */
export function readAck(asked = 'accepted'): Ack {
  const ack = ACKS.find((known) => known === asked);
  if (ack === undefined) {
    throw new ProblemError({ code: 'invalid_query', detail: `ack must be one of: ${ACKS.join(', ')}.` });
  }
  return ack;
}
