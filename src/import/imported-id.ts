import { hash } from 'node:crypto';
import { timePart } from '../events/id.ts';

/**
 * Makes the UUIDv7 of an imported row: its time is the row's, its 74 other bits (RFC 9562, section 5.7) come from SHA-256
 * over what identifies the row, so that a second import makes the same id.
 * @param ms since 1970, in the range of the RFC's 48 bits
 */
export function importedId(ms: number, identity: readonly string[]): string {
  const digest = hash('sha256', JSON.stringify(identity), 'hex');
  const variant = (8 + (Number.parseInt(digest.slice(3, 4), 16) & 3)).toString(16);
  return `${timePart(ms)}-7${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`;
}
