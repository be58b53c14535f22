import * as z from 'zod';
import type { Sql } from '../db/client.ts';
import { toFailure } from '../db/failure.ts';

/** ms; whatever takes longer to answer has failed. */
export const CALL_LIMIT = 5000;

const readiness = z.object({
  /** by table: seconds for which partitions follow one another from now on; 0: there is none for now */
  partitions_ahead_s: z.record(z.string(), z.number()),
  retention_overdue: z.boolean(),
  last_run_age_s: z.number().nullable(),
});

const gauges = readiness.extend({
  events_last_minute: z.number(),
  events_last_minute_partial: z.boolean(),
  dead_letters: z.number(),
  oldest_unsealed_s: z.number().nullable(),
  unsealed_estimate: z.number(),
  table_bytes_estimate: z.record(z.string(), z.number()),
});

export type DatabaseReadiness = z.infer<typeof readiness>;
export type DatabaseGauges = z.infer<typeof gauges>;

/** `audit.readiness()`. @returns `undefined` when the database does not answer within 5 s; never rejects */
export function askReadiness(sql: Sql): Promise<DatabaseReadiness | undefined> {
  return ask(sql, 'SELECT audit.readiness() AS answer', readiness);
}

/** `audit.gauges()`. @returns `undefined` when the database does not answer within 5 s; never rejects */
export function askGauges(sql: Sql): Promise<DatabaseGauges | undefined> {
  return ask(sql, 'SELECT audit.gauges() AS answer', gauges);
}

async function ask<T>(sql: Sql, query: string, shape: z.ZodType<T>): Promise<T | undefined> {
  try {
    const fetchOptions = { signal: AbortSignal.timeout(CALL_LIMIT) };
    const [row] = await sql.query(query, [], { fetchOptions });
    return shape.parse(row?.['answer']);
  } catch (error) {
    const { kind, sqlstate } = toFailure(error);
    console.error(JSON.stringify({ event: 'database_not_ready', kind, sqlstate }));
    return undefined;
  }
}
