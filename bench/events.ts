import { uuidv7 } from 'uuidv7';

/** A typical event of about 600 bytes as JSON: every group of fields filled, nothing to redact. */
export function typicalEvent(index: number) {
  return {
    id: uuidv7(),
    action: index % 3 === 0 ? 'invoice.updated' : 'user.logged_in',
    actor: {
      type: 'user' as const,
      id: `user_${index % 500}`,
      name: 'Ada Lovelace',
      email: `ada.${index % 500}@example.com`,
    },
    target: { type: 'invoice', id: `inv_${index % 10_000}`, name: 'Invoice 2026-11' },
    context: {
      ip_address: `203.0.113.${index % 250}`,
      user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
      request_id: `req_${index}`,
    },
    metadata: { plan: 'enterprise', source: 'web', attempt: index % 5 },
    old_value: { status: 'draft', amount: 1250, currency: 'EUR' },
    new_value: { status: 'sent', amount: 1250, currency: 'EUR' },
  };
}
