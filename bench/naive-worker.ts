import { neon, neonConfig } from '@neondatabase/serverless';
import { drizzle } from 'drizzle-orm/neon-http';
import { inet, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { Hono } from 'hono';

/** What a team writes without Daybook: parse, one drizzle insert per event, awaited, answer. */

const auditLogs = pgTable('audit_logs', {
  id: uuid('id').defaultRandom().primaryKey(),
  workspaceId: text('workspace_id').notNull(),
  actorId: text('actor_id').notNull(),
  actorType: text('actor_type').notNull(),
  action: text('action').notNull(),
  targetType: text('target_type').notNull(),
  targetId: text('target_id'),
  metadata: jsonb('metadata').default({}),
  oldValue: jsonb('old_value'),
  newValue: jsonb('new_value'),
  ipAddress: inet('ip_address'),
  userAgent: text('user_agent'),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

interface Bindings {
  DATABASE_URL: string;
  DAYBOOK_LOCAL_DATABASE: string;
}

interface SentEvent {
  action: string;
  actor: { type: string; id: string };
  target: { type: string; id: string };
  context: { ip_address: string; user_agent: string };
  metadata: Record<string, unknown>;
  old_value: unknown;
  new_value: unknown;
}

const app = new Hono<{ Bindings: Bindings }>();

app.post('/naive', async (c) => {
  const event = await c.req.json<SentEvent>();
  neonConfig.fetchEndpoint = c.env.DAYBOOK_LOCAL_DATABASE;
  const db = drizzle({ client: neon(c.env.DATABASE_URL) });
  const [row] = await db
    .insert(auditLogs)
    .values({
      workspaceId: 'acme',
      actorId: event.actor.id,
      actorType: event.actor.type,
      action: event.action,
      targetType: event.target.type,
      targetId: event.target.id,
      metadata: event.metadata,
      oldValue: event.old_value,
      newValue: event.new_value,
      ipAddress: event.context.ip_address,
      userAgent: event.context.user_agent,
    })
    .returning({ id: auditLogs.id });
  return c.json(row, 201);
});

/** The floor: a handler that only parses and answers. */
app.post('/parse', async (c) => {
  const event = await c.req.json<SentEvent>();
  return c.json({ action: event.action }, 202);
});

export default app;
