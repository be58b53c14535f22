import type { AppContext } from '../auth/context.ts';
import { ProblemError } from '../http/problem.ts';

/** What an answer promises (docs/design.md, section 4). */
export const ACKS = ['accepted', 'committed'] as const;
export type Ack = (typeof ACKS)[number];

/**
 * The ack a request asks for.
 * @throws ProblemError when there is no such ack
 */
export function ackOf(c: AppContext): Ack {
  const asked = c.req.query('ack') ?? 'accepted';
  const ack = ACKS.find((known) => known === asked);
  if (ack === undefined) {
    throw new ProblemError({ code: 'invalid_query', detail: `ack must be one of: ${ACKS.join(', ')}.` });
  }
  return ack;
}
