/** A body up to this size may hold what it likes. */
const SMALL = 1024 * 1024;
/** As many as fit into a small body: `{},` is three bytes. */
const MAX_PARTS = 350_000;

/** What is nested deeper is passed over, and takes nothing. */
const MAX_LEVELS = 512;

const [LINE_FEED, QUOTE, BACKSLASH, COLON] = [0x0a, 0x22, 0x5c, 0x3a];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Whether reading this JSON would take more memory than an isolate has to spare. What an object, an array or a member takes
 * has little to do with its length: 4 MiB of `{}` become 100 MB. Text that is no JSON may be taken for either.
 */
export function hasTooManyParts(json: Uint8Array): boolean {
  if (json.length <= SMALL) return false;
  let parts = 0;
  let level = 0;
  let inString = false;
  for (let i = 0; i < json.length; i += 1) {
    const byte = json[i];
    // No string holds a line feed, and a broken line of many must not hide what the next ones hold.
    if (byte === LINE_FEED) {
      inString = false;
      level = 0;
    } else if (byte === QUOTE) inString = !inString;
    else if (inString) {
      if (byte === BACKSLASH && json[i + 1] !== LINE_FEED) i += 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      level += 1;
      if (level <= MAX_LEVELS) parts += 1;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (level > 0) level -= 1;
    } else if (byte === COLON && level <= MAX_LEVELS) parts += 1;
  }
  return parts > MAX_PARTS;
}
