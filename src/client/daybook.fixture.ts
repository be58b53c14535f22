import { vi } from 'vitest';
import { timeOf } from '../events/id.ts';
import { createAudit, type AuditOptions } from './create-audit.ts';
import type { AuditEvent } from './event.ts';

export type Sent = AuditEvent & { id: string };
export type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | Error;

export const LOGIN = {
  action: 'login',
  actor: { type: 'user', id: 'u1' },
  target: { type: 'session' },
} as const;

export function receiptOf({ id }: Sent) {
  const created_at = new Date(timeOf(id)).toISOString();
  return { id, workspace_id: 'acme', created_at, result: 'committed', redacted: [], leaf_hash: '00' };
}

/** As Daybook answers a batch that it takes. */
export function stored(events: Sent[]): Answer {
  const results = events.map((event, index) => ({ index, result: 'committed', receipt: receiptOf(event) }));
  return { status: 201, body: { accepted: events.length, rejected: 0, results } };
}

/** A logger, and a Daybook that answers as it is told. */
export function setUp(
  options: Partial<AuditOptions> = {},
  answer: (events: Sent[], call: number) => Answer = stored,
) {
  const batches: Sent[][] = [];
  const requests: { url: string; init: RequestInit }[] = [];
  const logger = {
    warn: vi.fn<(line: string) => void>(),
    error: vi.fn<(line: string) => void>(),
  };
  const fetch = async (url: unknown, init: RequestInit = {}) => {
    requests.push({ url: String(url), init });
    const { events } = JSON.parse(String(init.body)) as { events: Sent[] };
    batches.push(events);
    const answered = answer(events, batches.length);
    if (answered instanceof Error) throw answered;
    const { status, body, headers = {} } = answered;
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
  };
  const audit = createAudit({
    url: 'https://daybook.test/',
    apiKey: 'dbk_x',
    logger,
    fetch,
    flushOnExit: false,
    ...options,
  });
  return { audit, batches, requests, logger };
}

export const times = (count: number, each: (index: number) => void) => {
  for (let index = 0; index < count; index += 1) each(index);
};
