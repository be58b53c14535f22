import { Buffer } from 'node:buffer';
import { makeId } from '../events/id.ts';
import { call, type Outcome } from './call.ts';
import type { Sql } from './client.ts';

/** Why an event will not be stored as it is. */
export interface Letter {
  reason: 'refused' | 'conflict' | 'undeliverable';
  /** a sentence for a person */
  detail: string;
  sqlstate?: string | undefined;
  /** the literal of `audit.incoming_event`, or what cannot be read as one */
  content: { literal: string } | { raw: string | Uint8Array };
}

/** Keeps events as dead letters, each once. @returns how many were new */
export async function bury(
  sql: Sql,
  letters: readonly Letter[],
  signal: AbortSignal,
): Promise<Outcome<number>> {
  const rows = letters.map(({ content, ...letter }) => ({
    ...letter,
    ...('raw' in content ? { raw: base64(content.raw) } : content),
    id: makeId(Date.now()),
  }));
  return call(sql, 'SELECT audit.bury($1::jsonb) AS answer', [JSON.stringify(rows)], signal);
}

function base64(content: string | Uint8Array): string {
  return (typeof content === 'string' ? Buffer.from(content) : Buffer.from(content)).toString('base64');
}
