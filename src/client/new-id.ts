/** Makes a UUIDv7 (RFC 9562, section 5.7) of now: its time, and the 74 random bits of a UUIDv4. */
export function newId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`;
}
