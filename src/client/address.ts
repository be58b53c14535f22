/** Longer than any address with its zone. */
const ADDRESS_MAX = 64;

/** Without the port and the brackets that some proxies add; nothing where it can be no address, for the event must not fail on it. */
export function plainAddress(address: string | null | undefined): string | undefined {
  if (typeof address !== 'string' || address.length > ADDRESS_MAX) return undefined;
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
