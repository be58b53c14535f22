import { plainAddress } from './address.ts';
import type { Audit } from './audit.ts';
import type { Actor, EventContext } from './event.ts';

/** Where the address of the client stands. Said by whoever deploys: a header that anybody can send proves nothing. */
export interface AddressOptions {
  /** a header that the platform sets itself whatever the client sends, such as `CF-Connecting-IP` on Cloudflare */
  ipHeader?: string;
  /** how many proxies of yours append to `X-Forwarded-For`: the client's address is so many from its end */
  trustedProxies?: number;
}

// As src/events/limits.ts has them; imported by two entries it would become a file that the client depends on.
const TEXT_MAX = 2048;
const ID_MAX = 255;

/**
 * Options as they were given.
 * @throws TypeError for those that would trust a header that anybody can send, or fail with each request
 */
export function checked<Options extends AddressOptions>(options: Options): Options {
  const { trustedProxies = 0, ipHeader } = options;
  if (!Number.isInteger(trustedProxies) || trustedProxies < 0)
    throw new TypeError(
      'trustedProxies must be how many proxies of yours write to X-Forwarded-For: 0, 1, 2, …',
    );
  if (ipHeader !== undefined && !/^[\w!#$%&'*+.^`|~-]+$/.test(ipHeader))
    throw new TypeError('ipHeader must be the name of a header; leave it out where there is none');
  return options;
}

type Teller = Pick<Audit, 'tellMissing'>;

/** What the application finds out of a request; where that fails, the request goes on and the logger is told. */
export function found<T>(audit: Teller, what: string, find: () => T | undefined): T | undefined {
  try {
    return find();
  } catch (error) {
    audit.tellMissing(what, error);
    return undefined;
  }
}

/** Who acts: `anonymous` where nobody is known, or somebody of whom there is no id, for Daybook refuses that. */
export function actorOr(actor: Actor | null | undefined): Actor {
  const isKnown = actor && (actor.id || actor.type === 'system' || actor.type === 'anonymous');
  return isKnown ? actor : { type: 'anonymous' };
}

/**
 * What an event tells of the request that it was made in.
 * @param header reads one of the request's headers
 * @param peer the address that the connection came from, where that is known
 * @param requestId where the application gave it one
 */
export function contextOf(
  header: (name: string) => string | null | undefined,
  peer: string | undefined,
  options: AddressOptions,
  requestId?: string,
): EventContext {
  return {
    ip_address: plainAddress(addressOf(header, peer, options)),
    // A cut may part the two halves of a character: Daybook refuses one half.
    user_agent: header('User-Agent')?.slice(0, TEXT_MAX).toWellFormed(),
    request_id: (requestId ?? header('X-Request-Id'))?.slice(0, ID_MAX).toWellFormed() || undefined,
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
