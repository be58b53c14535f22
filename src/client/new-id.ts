let last = 0;
let counter = 0;

/**
 * Makes a UUIDv7 (RFC 9562, section 5.7) of now. Within a millisecond a counter in the first 12 bits after the time keeps the
 * order of the calls (section 6.2, method 1); the rest are random bits of a UUIDv4.
 */
export function newId(): string {
  const now = Date.now();
  const uuid = crypto.randomUUID();
  // It begins in the lower half: there is room for 2,048 more.
  counter = (now === last ? counter + 1 : Number.parseInt(uuid.slice(0, 8), 16) >>> 21) & 4095;
  last = now;
  const time = now.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}${uuid.slice(18)}`;
}
