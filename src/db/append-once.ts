import * as z from 'zod';
import { call } from './call.ts';
import type { Sql } from './client.ts';
import type { DatabaseFailure } from './failure.ts';

const receipt = z.object({
  id: z.string(),
  workspace_id: z.string(),
  created_at: z.string(),
  result: z.enum(['committed', 'duplicate']),
  redacted: z.array(z.string()),
  leaf_hash: z.string(),
});

/** The answer that is kept with a key. */
export type KeptReceipt = z.infer<typeof receipt>;

const answer = z.discriminatedUnion('outcome', [
  /** the key is kept with this answer by this call */
  z.object({ outcome: z.literal('stored'), receipt }),
  /** the key is kept with this answer since an earlier call with the same body */
  z.object({ outcome: z.literal('replayed'), receipt }),
  /** the key was used for another body */
  z.object({ outcome: z.literal('reused') }),
  /** the event's id is stored with other content; the key is free */
  z.object({ outcome: z.literal('conflict'), leaf_hash: z.string() }),
]);

export type OnceOutcome = z.infer<typeof answer> | { outcome: 'failed'; failure: DatabaseFailure };

/** One event to be stored under a key. */
export interface KeyedRow {
  key: string;
  /** lower-case hex, 32 bytes each: the first is kept, any of them is recognised */
  bodyHashes: readonly string[];
  /** literal of `audit.incoming_event`, as `rowOf` writes it */
  row: string;
  receipt: Omit<KeptReceipt, 'result' | 'leaf_hash'>;
}

/** Stores an event under a key in one call, or finds the answer that the key was given first. */
export async function appendOnce(sql: Sql, keyed: KeyedRow, signal: AbortSignal): Promise<OnceOutcome> {
  const query = 'SELECT audit.append_once($1, $2::text[], $3, $4::jsonb) AS answer';
  const parameters = [keyed.key, keyed.bodyHashes, keyed.row, JSON.stringify(keyed.receipt)];
  const outcome = await call<unknown>(sql, query, parameters, signal);
  return outcome.ok ? answer.parse(outcome.value) : { outcome: 'failed', failure: outcome.failure };
}
