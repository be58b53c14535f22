import type { Breaker } from './breaker.ts';
import { contentOf } from './queue-message.ts';
import { sendMessages, type Spill } from './spill.ts';

/** A message of the platform's queue, as far as it is used here. */
export interface Delivered {
  readonly body: unknown;
  /** 1 for the first delivery */
  readonly attempts: number;
  ack(): void;
  retry(options: { delaySeconds: number }): void;
}

/** From this attempt on a message starts anew: the platform gives up after 101 attempts, or when it is 14 days old. */
const ANEW_FROM = 90;

/** Lets a message come again. Before the platform would give it up, it is sent anew. */
export async function postpone(message: Delivered, delaySeconds: number, { queue }: Spill): Promise<void> {
  const { attempts, body } = message;
  if (attempts >= ANEW_FROM && (await sendMessages(queue, [copyOf(body)]))) return message.ack();
  message.retry({ delaySeconds });
}

/**
 * Seconds until rows are to come again: doubling with each try, or as long again as the database was seen to fail if that is
 * more, a minute at most. Of that half to all, for the same outage postponed them all.
 * @param tries how often they were tried, this time included
 */
export function delayAfter(tries: number, { failingFor }: Breaker): number {
  const longest = Math.min(60, Math.max(2 ** (tries - 1), failingFor / 1000));
  return Math.max(1, Math.round(longest * (0.5 + Math.random() / 2)));
}

function copyOf(body: unknown) {
  const content = contentOf(body);
  return typeof content === 'string'
    ? { body: content, contentType: 'text' as const }
    : { body: content, contentType: 'bytes' as const };
}
