/** Without the port and the brackets that some proxies add; nothing where it can be no address, for the event must not fail on it. */
export function plainAddress(address: string | null | undefined): string | undefined {
  const [, plain = ''] =
    /^\[?((?:\d+\.){3}\d+|[\da-f.]*:[\da-f:.]*)(?:%[^\]]*)?\]?(?::\d+)?$/i.exec(String(address)) ?? [];
  const isIpv6 = plain.includes(':');
  // As the URL standard reads hosts.
  const url = `http://${isIpv6 ? `[${plain}]` : plain}`;
  return URL.canParse(url) && (isIpv6 || new URL(url).hostname === plain) ? plain : undefined;
}
