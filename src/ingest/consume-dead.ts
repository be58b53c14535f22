import { splitRows } from '../db/append.ts';
import type { Letter } from '../db/dead-letters.ts';
import { buryLetters } from './bury.ts';
import type { Database } from './database.ts';
import { delayAfter, postpone, type Delivered } from './postpone.ts';
import { contentOf, openMessage } from './queue-message.ts';
import type { Spill } from './spill.ts';

/** Keeps what the platform gave up as dead letters, from where an operator can try it again. */
export async function consumeDead(
  messages: readonly Delivered[],
  database: Database,
  spill: Spill,
): Promise<void> {
  for (const message of messages) await buryMessage(message, database, spill);
}

/** Keeps the events of a message as dead letters, or the message itself when it is none of ours. */
export async function buryMessage(message: Delivered, database: Database, spill: Spill): Promise<void> {
  const opened = await openMessage(message.body);
  const letters =
    opened === undefined
      ? [unreadable(message.body)]
      : splitRows(opened.joined).map((row) => undelivered(row));
  if (await buryLetters(letters, [], database)) message.ack();
  else await postpone(message, delayAfter(message.attempts, database.breaker), spill);
}

function undelivered(row: string): Letter {
  const detail = 'The queue gave the event up: it was delivered many times, and the Worker failed each time.';
  return { reason: 'undeliverable', detail, content: { literal: row } };
}

function unreadable(body: unknown): Letter {
  const detail = 'This message of the queue cannot be read as events.';
  return { reason: 'undeliverable', detail, content: { raw: contentOf(body) } };
}
