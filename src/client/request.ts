import type { EventContext } from './event.ts';

/** Where the address of the client stands. Said by whoever deploys: a header that anybody can send proves nothing. */
export interface AddressOptions {
  /** a header that the platform sets itself whatever the client sends, such as `CF-Connecting-IP` on Cloudflare */
  ipHeader?: string;
  /** how many proxies of yours append to `X-Forwarded-For`: the client's address is so many from its end */
  trustedProxies?: number;
}

/** Longer than any address with its zone. */
const ADDRESS_MAX = 64;
// As src/events/limits.ts has them; imported by two entries it would become a file that the client depends on.
const TEXT_MAX = 2048;
const ID_MAX = 255;

/**
 * What an event tells of the request that it was made in.
 * @param header reads one of the request's headers
 * @param peer the address that the connection came from, where that is known
 */
export function contextOf(
  header: (name: string) => string | null | undefined,
  peer: string | undefined,
  options: AddressOptions,
): EventContext {
  return {
    ip_address: plainAddress(addressOf(header, peer, options)),
    user_agent: header('User-Agent')?.slice(0, TEXT_MAX),
    request_id: header('X-Request-Id')?.slice(0, ID_MAX) || undefined,
  };
}

function addressOf(
  header: (name: string) => string | null | undefined,
  peer: string | undefined,
  { ipHeader, trustedProxies = 0 }: AddressOptions,
): string | undefined {
  if (ipHeader !== undefined) return header(ipHeader)?.trim();
  if (trustedProxies === 0) return peer;
  const hops = header('X-Forwarded-For')?.split(',') ?? [];
  // Fewer than there are proxies: the request came around them, and what it says is the client's own.
  return hops.at(-trustedProxies)?.trim() ?? peer;
}

/** Without the port and the brackets that some proxies add; nothing where it can be no address, for the event must not fail on it. */
function plainAddress(address: string | undefined): string | undefined {
  if (address === undefined || address.length > ADDRESS_MAX) return undefined;
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
  const [plain = ''] = bare.split('%', 1);
  return isAddress(plain) ? plain : undefined;
}

/** As the URL standard reads hosts. */
function isAddress(text: string): boolean {
  if (/^\d+(?:\.\d+){3}$/.test(text))
    return URL.canParse(`http://${text}`) && new URL(`http://${text}`).hostname === text;
  return /^[\da-f.]*:[\da-f:.]*$/i.test(text) && URL.canParse(`http://[${text}]`);
}
