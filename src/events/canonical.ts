import canonicalize from 'canonicalize';

/**
 * RFC 8785 canonical JSON: no spaces, members in the order of their names' UTF-16 code units,
 * numbers and strings as ECMAScript writes them. Members that are undefined are left out.
 *
 * @throws Error for what JSON cannot hold (`measure` finds it first): NaN, infinities, lone surrogates.
 */
export function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('JSON has no form for this value');
  return text;
}
