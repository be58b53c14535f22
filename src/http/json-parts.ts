/** A body up to this size may hold what it likes. */
const SMALL = 1024 * 1024;
/** As many as fit into a small body: `{},` is three bytes. */
const MAX_PARTS = 350_000;

const [LINE_FEED, QUOTE, BACKSLASH, BRACE, BRACKET, COLON] = [0x0a, 0x22, 0x5c, 0x7b, 0x5b, 0x3a];

/**
 * Whether reading this JSON would take more memory than an isolate has to spare. What an object, an array or a member takes
 * has little to do with its length: 4 MiB of `{}` become 100 MB. Text that is no JSON may be taken for either.
 */
export function hasTooManyParts(json: Uint8Array): boolean {
  if (json.length <= SMALL) return false;
  let parts = 0;
  let inString = false;
  for (let i = 0; i < json.length; i += 1) {
    const byte = json[i];
    // No string holds a line feed, and a broken line of many must not hide what the next ones hold.
    if (byte === LINE_FEED) inString = false;
    else if (byte === QUOTE) inString = !inString;
    else if (inString) {
      if (byte === BACKSLASH && json[i + 1] !== LINE_FEED) i += 1;
    } else if (byte === BRACE || byte === BRACKET || byte === COLON) parts += 1;
  }
  return parts > MAX_PARTS;
}
