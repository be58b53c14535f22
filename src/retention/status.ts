import * as z from 'zod';
import type { Sql } from '../db/client.ts';
import { databaseTime as time } from '../db/time.ts';

const step = z.object({ task: z.string(), partition: z.string() });
/** what `expire` deleted, in all */
const rows = z.number().optional();

const status = z.object({
  policy: z.object({
    ip_retention_hours: z.number(),
    event_retention_months: z.number(),
    months_ahead: z.number(),
    days_ahead: z.number(),
  }),
  /** whether something should have been done by now: two hourly runs did not do it */
  overdue: z.boolean(),
  due: z.array(step.extend({ due_at: time })),
  /** what will be forgotten and dropped, soonest first */
  upcoming: z.array(z.object({ partition: z.string(), from: time, to: time, drops_at: time })),
  /** until when each table has partitions */
  ahead: z.record(z.string(), time),
  runs: z.array(
    z.object({
      id: z.string(),
      trigger: z.string(),
      started_at: time,
      finished_at: time.nullable(),
      interrupted: z.boolean(),
      steps: z.array(step.extend({ rows })),
      postponed: z.array(step.extend({ reason: z.string() })),
      reported_at: time.nullable(),
    }),
  ),
});

export type RetentionStatus = z.infer<typeof status>;

/** What will be forgotten and dropped when, what is due, and the last runs. @throws the driver's error */
export async function retentionStatus(sql: Sql): Promise<RetentionStatus> {
  const [row] = await sql.query('SELECT audit.retention_status() AS status');
  return status.parse(row?.['status']);
}
