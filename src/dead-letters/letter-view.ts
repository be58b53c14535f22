import { Buffer } from 'node:buffer';
import * as z from 'zod';
import { databaseTime as time } from '../db/time.ts';

const text = z.string().nullish();

/** The columns of `audit.incoming_event`, as `audit.list_dead_letters` gives them. */
const columns = z.object({
  id: text,
  workspace_id: text,
  occurred_at: time.nullish(),
  action: text,
  version: z.number().nullish(),
  actor_type: text,
  actor_id: text,
  actor_name: text,
  actor_email: text,
  on_behalf_of_type: text,
  on_behalf_of_id: text,
  target_type: text,
  target_id: text,
  target_name: text,
  related_targets: z.array(z.object({ type: z.string(), id: z.string().optional() })).nullish(),
  related_target_names: z.array(z.string().nullable()).nullish(),
  outcome: text,
  reason: text,
  old_value: z.unknown(),
  new_value: z.unknown(),
  metadata: z.unknown(),
  ip_address: text,
  user_agent: text,
  request_id: text,
  session_id: text,
  source_id: text,
});
type Columns = z.infer<typeof columns>;

/** One dead letter, as the API shows it. */
export const letter = z.object({
  id: z.string(),
  failed_at: time,
  reason: z.enum(['refused', 'conflict', 'undeliverable']),
  detail: z.string(),
  sqlstate: z.string().nullable(),
  workspace_id: z.string().nullable(),
  event_id: z.string().nullable(),
  created_at: time.nullable(),
  /** which API key sent it; nothing for the service's own */
  key_id: z.string().nullable(),
  /** in the form in which events are sent; nothing where the letter cannot be read as one */
  event: columns.transform(eventOf).nullable(),
  /** base64 of what cannot be read as an event */
  raw: z.string().nullable(),
});

export type LetterView = z.infer<typeof letter>;

const frame = z.object({ id: z.string(), failed_at: time, reason: letter.shape.reason, detail: z.string() });

/** A letter as the database gives it. One that holds no event after all is shown as it is: it must not hide the others. */
export function readLetter(row: unknown): LetterView {
  const read = letter.safeParse(row);
  if (read.success) return read.data;
  const raw = toBase64(JSON.stringify(row));
  const unknown = { sqlstate: null, workspace_id: null, event_id: null, created_at: null, key_id: null };
  return { ...frame.parse(row), ...unknown, event: null, raw };
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** An event in the form in which it is sent, without what is absent. */
function eventOf(row: Columns): Record<string, unknown> {
  const related = row.related_targets?.map((target, place) =>
    present({ ...target, name: row.related_target_names?.[place] }),
  );
  return present({
    id: row.id,
    workspace_id: row.workspace_id,
    action: row.action,
    version: row.version,
    occurred_at: row.occurred_at,
    actor: present({
      type: row.actor_type,
      id: row.actor_id,
      name: row.actor_name,
      email: row.actor_email,
      on_behalf_of: group({ type: row.on_behalf_of_type, id: row.on_behalf_of_id }),
    }),
    target: present({ type: row.target_type, id: row.target_id, name: row.target_name }),
    related_targets: related,
    outcome: row.outcome,
    reason: row.reason,
    old_value: row.old_value,
    new_value: row.new_value,
    context: group({
      ip_address: row.ip_address,
      user_agent: row.user_agent,
      request_id: row.request_id,
      session_id: row.session_id,
    }),
    metadata: row.metadata,
    source_id: row.source_id,
  });
}

function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  );
}

/** The fields, or nothing where there is none. */
function group(fields: Record<string, unknown>): Record<string, unknown> | undefined {
  const kept = present(fields);
  return Object.keys(kept).length === 0 ? undefined : kept;
}
