/** Nouns that name a secret at the end of a name: some of Daybook's own (events/secret-names.ts), which redacts again. */
const SECRET =
  /(?:passw(?:or)?d|pass(?:phrase|code)|pwd|secret|(?:api|secret|private|access)key|token|cookie|credential)s?$|jwt$|^(?:pass|pin|cv[vc]|t?otp|bearer|authorization)$/;

/** Tokens that open nothing; Daybook knows more of them, which are redacted here. */
const ORDINARY = /(?:page|next|continuation|sync|max|total|input|output|prompt|completion)tokens?$/;

/**
 * Whether a name announces a secret, whatever its case and separators: `apiKey`, `API_KEY` and `x-api-key` are one.
 * @returns nothing, or below what a number under it counts secrets: `token: 5`, `tokens: 5120`
 */
export function secrecyOf(name: string): number | undefined {
  const plain = name
    .slice(-128)
    .replace(/[^a-z]/gi, '')
    .toLowerCase();
  // `has_password` answers a question about a secret.
  if (!SECRET.test(plain) || ORDINARY.test(plain) || /^(?:is|has)[^a-z]/.test(name)) return undefined;
  if (plain.endsWith('s')) return 1e9;
  return plain.endsWith('token') ? 1000 : 0;
}
