const DECIMAL_BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = new RegExp(`^${DECIMAL_BYTE}(?:\\.${DECIMAL_BYTE}){3}$`);
const GROUP = /^[0-9a-f]{1,4}$/i;
const GROUPS = 8;
const LONGEST = 45;

/**
 * The one text for an IPv4 or IPv6 host address: what Postgres prints for it as `inet`, so that
 * what is hashed, stored and read back is the same. That is RFC 5952, but for addresses whose
 * first 96 bits are zero, which end in dotted decimals (`::102:304` is `::1.2.3.4`).
 * An IPv4-mapped IPv6 address is given as IPv4.
 *
 * Written out because `ipaddr.js` reads forms that mean different hosts to different readers
 * (`127.1`, `010.0.0.1`, `0x7f.1`, zone ids) and prints the others differently.
 *
 * @returns undefined for anything else: masks, ports, brackets, zone ids, short or octal forms.
 */
export function canonicalIp(text: string): string | undefined {
  if (text.length > LONGEST) return undefined;
  if (IPV4.test(text)) return text;
  const groups = parseIpv6(text);
  return groups === undefined ? undefined : printIpv6(groups);
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === GROUPS ? head : undefined;
  if (tail === undefined || head.length + tail.length >= GROUPS) return undefined;
  const zeros = Array.from({ length: GROUPS - head.length - tail.length }, () => 0);
  return [...head, ...zeros, ...tail];
}

function parseGroups(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  // Dotted decimals may stand for the last two groups.
  const dotted = isLast && IPV4.test(last) ? last.split('.').map(Number) : [];
  if (dotted.length > 0) parts.pop();
  if (!parts.every((part) => GROUP.test(part))) return undefined;
  const groups = parts.map((part) => Number.parseInt(part, 16));
  const [a, b, c, d] = dotted;
  if (a === undefined || b === undefined || c === undefined || d === undefined) return groups;
  return [...groups, a * 256 + b, c * 256 + d];
}

function printIpv6(groups: number[]): string {
  const [, , , , , sixth = 0, high = 0, low = 0] = groups;
  const zeros = longestZeros(groups);
  const dotted = `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  if (zeros.start === 0 && zeros.length === 5 && sixth === 0xffff) return dotted;
  if (zeros.start === 0 && zeros.length === 6) return `::${dotted}`;
  const texts = groups.map((group) => group.toString(16));
  // RFC 5952, section 4.2.2: a single group of zeros stays.
  if (zeros.length < 2) return texts.join(':');
  return `${texts.slice(0, zeros.start).join(':')}::${texts.slice(zeros.start + zeros.length).join(':')}`;
}

function longestZeros(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < GROUPS; start += 1) {
    let end = start;
    while (groups[end] === 0) end += 1;
    if (end - start > best.length) best = { start, length: end - start };
    start = Math.max(start, end - 1);
  }
  return best;
}
