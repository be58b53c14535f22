import { timePart } from '../events/id.ts';

/** Makes a UUIDv7 (RFC 9562, section 5.7) of now: its time, and the 74 random bits of a UUIDv4. */
export function newId(): string {
  return `${timePart(Date.now())}-7${crypto.randomUUID().slice(15)}`;
}
