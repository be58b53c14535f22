import type { AuditEvent } from './event.ts';
import type { Transport } from './transport.ts';

/** A transport for tests: collects what would be sent, redacted as it would be, and answers that it is stored. */
export function collectEvents(): { transport: Transport; events: (AuditEvent & { id: string })[] } {
  const events: (AuditEvent & { id: string })[] = [];
  async function send(batch: readonly string[]) {
    const sent = batch.map((json) => JSON.parse(json) as AuditEvent & { id: string });
    events.push(...sent);
    const outcomes = sent.map(({ id, workspace_id }) => ({
      result: 'stored' as const,
      receipt: {
        id,
        workspace_id: workspace_id ?? '',
        created_at: new Date(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toISOString(),
        result: 'committed' as const,
        redacted: [],
        leaf_hash: '',
      },
    }));
    return { kind: 'answered' as const, outcomes };
  }
  return { transport: { send }, events };
}
