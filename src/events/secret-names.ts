/**
 * How surely a name announces a secret. Under a `certain` name every number is one (a PIN, a one-time
 * code); under a `likely` one those of four digits or more (`token: 482913`); under a `plural` one
 * they are counts (`tokens: 5120`). Booleans never are secrets.
 */
export type Secrecy = 'certain' | 'likely' | 'plural';

/** What the name of a member says about its value. */
export interface NameMeaning {
  secrecy: Secrecy | undefined;
  /** Names a payment card's number. */
  card: boolean;
  /** Names an id, an order, a phone number: digits under it are no payment card. */
  identifier: boolean;
  /** Names one side of a change, or the value in a name-and-value pair. */
  side: boolean;
}

const LONGEST = 128;
const MAX_REMEMBERED = 4096;
const remembered = new Map<string, NameMeaning>();

/** What the name of a member says. Such names come again and again, so they are remembered. */
export function meaningOf(name: string): NameMeaning {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const meaning = readName(name);
  if (name.length <= LONGEST) {
    // Names come from outside: what they may occupy is bounded.
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(name, meaning);
  }
  return meaning;
}

/** Reads a name, whatever its case and separators: `apiKey`, `API_KEY` and `x-api-key` are one. */
function readName(name: string): NameMeaning {
  const words = wordsOf(name);
  return {
    secrecy: secrecyOf(words),
    card: CARD.test(words.join('')),
    identifier: isIdentifier(words),
    side: SIDES.has(words.join('')),
  };
}

/** Whether a name found within a text announces a secret. */
export function secrecyOfName(name: string): Secrecy | undefined {
  return HINT.test(name) ? secrecyOf(wordsOf(name)) : undefined;
}

/** A part of every name of a secret, for a quick no. */
const HINT =
  /pass|pwd|secret|token|key|cookie|auth|cred|jwt|bearer|otp|pin|cv[vc]|code|phrase|answer|sess|sid/i;

function wordsOf(name: string): string[] {
  // The end of a name is its noun.
  const spaced = name
    .slice(-LONGEST)
    .replace(/([a-z0-9])(?=[A-Z])/g, '$1 ')
    .replace(/([A-Z])(?=[A-Z][a-z])/g, '$1 ');
  return spaced
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.replace(/(?<=[a-z])\d{1,3}$/, ''))
    .filter((word) => word !== '');
}

function secrecyOf(words: string[]): Secrecy | undefined {
  if (QUESTIONS.has(words[0] ?? '')) return undefined;
  const core = withoutQualifiers(words);
  const plain = core.join('');
  if (CERTAIN.test(plain)) return 'certain';
  if (ORDINARY.test(core.join(' '))) return undefined;
  if (LIKELY.test(plain)) return 'likely';
  return PLURAL.test(plain) ? 'plural' : undefined;
}

/** `has_password` and `is_secret` answer questions about a secret. */
const QUESTIONS = new Set(
  'is has had needs requires require required must should can allow allows show hide use uses supports enable disable'.split(
    ' ',
  ),
);

/** Words after which the noun before them is still the value itself: `password_new`, `token_value`. */
const QUALIFIERS = new Set(
  'old new current previous value plain plaintext raw confirm confirmation again repeat encrypted header base64 b64'.split(
    ' ',
  ),
);

function withoutQualifiers(words: string[]): string[] {
  let end = words.length;
  while (end > 1 && (QUALIFIERS.has(words[end - 1] ?? '') || /^\d+$/.test(words[end - 1] ?? ''))) end -= 1;
  return words.slice(0, end);
}

/**
 * Nouns that name the secret itself, at the end of a name; what merely speaks about a secret ends
 * in another noun: `password_changed_at`, `secret_name`, `token_count`.
 */
const CERTAIN = new RegExp(
  `(?:${[
    'passw(?:or)?d(?:hash|digest|salt)?',
    'passwort',
    'pass(?:phrase|code)',
    'pwd',
    '(?:user|db|smtp|mail|admin|root|login|ftp|redis|mysql|pg|proxy)pass',
    'secret',
    '(?:api|secret|private|access|encryption|decryption|signing|signature|master|servicerole|recovery|hmac|shared|auth|symmetric|account)key',
    'subscriptionkey',
    'secret(?:access)?key',
    '(?:mfa|otp|2fa|verification|security|recovery|backup|auth|authorization|onetime|reset)code',
    'codeverifier',
    '(?:seed|recovery|mnemonic)phrase',
    '(?:security|secret)answer',
    'privatekeypem',
  ].join(
    '|',
  )})$|^(?:${['pin', '(?:card|atm|user|login|security|access)pin', '(?:card)?(?:cvv|cvc)', 't?otp', 'hotp'].join('|')})$`,
);

const LIKELY = new RegExp(
  `(?:${['token', 'cookie', 'credential', 'jwt', '(?:recovery|backup)codes'].join(
    '|',
  )})$|^(?:${['pass', 'bearer', '(?:x|http|proxy|httpproxy|xforwarded)?authorization', 'phpsessid', 'jsessionid', 'connectsid'].join('|')})$`,
);

const PLURAL =
  /(?:tokens|cookies|credentials|creds|jwts|secrets|passwords|passphrases|(?:api|secret|private|access)keys)$/;

/** Tokens that open nothing: of pages, of language models, of locks, of design systems. */
const ORDINARY =
  /(?:^| )(?:next)?(?:page|next|continuation|pagination|sync|resume|design|cancel|cancellation|idempotency|fencing|lock|pad|eos|bos|unk|mask|stop|syntax|max|min|total|first|per|input|output|prompt|completion|cached|reasoning) ?tokens?$/;

const CARD =
  /(?:cardnumber|cardno|cardnum|ccnumber|ccnum|creditcard|debitcard|paymentcard)$|^(?:card|cc|pan|primaryaccountnumber)$/;

const IDENTIFIERS = new Set(
  (
    'id ids uuid guid order phone tel telephone mobile fax imei imsi ean gtin upc isbn sku barcode tracking invoice ticket ' +
    'serial timestamp time ts iban ref reference receipt transaction'
  ).split(' '),
);
const NUMBERS = new Set('number no num nr code'.split(' '));

function isIdentifier(words: string[]): boolean {
  const last = words.at(-1) ?? '';
  return IDENTIFIERS.has(last) || (NUMBERS.has(last) && IDENTIFIERS.has(words.at(-2) ?? ''));
}

const SIDES = new Set(
  (
    'old new value values from to before after previous current prev oldvalue newvalue previousvalue currentvalue ' +
    'valuebefore valueafter'
  ).split(' '),
);
