import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { uuidv7 } from 'uuidv7';
import { randomOf } from './random.ts';

/** All that a test event says, in the flat shape of `audit.events`; absent members are left out. */
export interface Content {
  action: string;
  occurred_at: string;
  actor_type: string;
  actor_id: string;
  actor_name?: string;
  target_type: string;
  target_id: string;
  related?: { type: string; id: string }[];
  outcome: string;
  reason?: string;
  old_value?: unknown;
  new_value?: unknown;
  metadata: Record<string, unknown>;
  user_agent?: string;
  request_id: string;
  source_id: string;
  ip_address?: string;
}

export interface TestEvent {
  id: string;
  content: Content;
  checksum: string;
}

const ACTIONS = ['invoice.sent', 'user.logged_in', 'role.granted', 'file.deleted'] as const;
const NAMES = ['Ada Lovelace', 'Łukasz „Kot” Żak', '李小龍', 'O\'Hara \\ "quoted"', '🦉\tnew\nline'] as const;

/** An event of 300 to 1,500 bytes with an id of now. Seed and place in the run decide all but its id and its time. */
export function makeEvent(seed: number, place: number): TestEvent {
  const random = randomOf(seed, `event ${place}`);
  const content: Content = {
    action: random.pick(ACTIONS),
    occurred_at: new Date(Date.now() - random.integer(0, 3_600_000)).toISOString(),
    actor_type: 'user',
    actor_id: `user_${random.integer(1, 500)}`,
    target_type: 'invoice',
    target_id: `inv_${random.integer(1, 10_000)}`,
    outcome: random.pick(['success', 'failure', 'denied']),
    metadata: { place, plan: random.pick(NAMES), note: 'x'.repeat(random.integer(0, 800)) },
    request_id: `req_${place}`,
    source_id: `row ${place}`,
  };
  if (random.chance(0.6)) content.actor_name = random.pick(NAMES);
  if (random.chance(0.6)) content.ip_address = `203.0.113.${random.integer(0, 255)}`;
  if (random.chance(0.3)) content.user_agent = `Browser/${random.integer(1, 99)}.0 (X11; Linux)`;
  if (random.chance(0.3)) content.reason = `because of ${random.pick(NAMES)}`;
  if (random.chance(0.3)) {
    content.old_value = { status: 'draft', amount: random.integer(0, 100_000) / 4 };
    content.new_value = ['sent', null, { amount: random.integer(0, 100_000) }];
  }
  if (random.chance(0.3)) {
    const count = random.integer(1, 3);
    content.related = Array.from({ length: count }, (_, at) => ({
      type: 'order',
      id: `order_${place}_${at}`,
    }));
  }
  return { id: uuidv7(), content, checksum: checksumOf(content) };
}

/** The event as a client sends it, its checksum within. */
export function bodyOf({ id, content, checksum }: TestEvent): Record<string, unknown> {
  const { actor_type, actor_id, actor_name, target_type, target_id, related, ...rest } = content;
  const { ip_address, user_agent, request_id, metadata, ...fields } = rest;
  return {
    id,
    ...fields,
    actor: { type: actor_type, id: actor_id, name: actor_name },
    target: { type: target_type, id: target_id },
    related_targets: related,
    context: { ip_address, user_agent, request_id },
    metadata: { ...metadata, checksum },
  };
}

/** SHA-256 over the canonical form (RFC 8785), in letters: digits could be taken for a card number, and redacted. */
export function checksumOf(content: Content): string {
  const hash = createHash('sha256')
    .update(canonicalize(content) ?? '')
    .digest('hex');
  return hash.replaceAll(/[0-9a-f]/g, (digit) => String.fromCodePoint(97 + Number.parseInt(digit, 16)));
}
