import { replaceCardNumbers } from './card-number.ts';
import { secrecyOfName, type Secrecy } from './secret-names.ts';

export const REDACTED = '[redacted]';

/**
 * Replaces the secrets within a text, by their own looks or by the name that stands before them.
 * Linear in the length of the text: every pattern either consumes what it looked at or is bounded.
 */
export function redactText(text: string, cards: boolean): string {
  return untilSettled(text, (unsettled) => {
    if (!SUSPECT.test(unsettled)) return unsettled;
    const result = unsettled.replace(PEM, REDACTED).replace(TOKEN, redactToken).replace(SCHEME, redactScheme);
    const withoutPairs = redactPairs(redactUrls(result).replace(HEADER, redactHeader));
    return cards ? replaceCardNumbers(withoutPairs, REDACTED) : withoutPairs;
  });
}

/** Replaces what stands in a URL's user information and in query parameters with secret names. */
export function redactUrlSecrets(text: string): string {
  if (!/=|%3[dD]|:\/\//.test(text)) return text;
  return untilSettled(text, (unsettled) => redactPairs(redactUrls(unsettled)));
}

const MAX_PASSES = 4;

/** A replacement may join what it stood between: the user and the host of `://user:4111 1111 1111 1111@host`. */
function untilSettled(text: string, redact: (unsettled: string) => string): string {
  let result = text;
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const next = redact(result);
    if (next === result) break;
    result = next;
  }
  return result;
}

/** True for what may stand under a secret's name without being it. */
export function isHarmless(value: string, secrecy: Secrecy): boolean {
  if (HARMLESS.test(value)) return true;
  return secrecy !== 'certain' && (STATUS.test(value) || COUNT[secrecy].test(value));
}

/** The same for numbers. */
export function isHarmlessNumber(value: number, secrecy: Secrecy): boolean {
  return secrecy === 'plural' || (secrecy === 'likely' && Math.abs(value) < 1000);
}

const HARMLESS = /^(?:\[redacted\]|true|false|null|undefined|[*•]+|\?|%s|\$\d+)?$/i;
/** A one-time code has four digits or more. */
const COUNT = { likely: /^\d{1,3}$/, plural: /^\d{1,9}$/ };
/** What is told about a token, a cookie or an authorization rather than being one. */
const STATUS =
  /^(?:granted|denied|allowed|refused|accepted|rejected|valid|invalid|expired|revoked|rotated|missing|present|absent|required|optional|enabled|disabled|active|inactive|changed|unchanged|created|updated|deleted|added|removed|set|unset|yes|no|none|ok|all)$/i;

/** One look at the beginnings of all patterns below, for the many texts that hold none. */
const SUSPECT =
  /[=]|:\/\/|["']\s{0,4}:|:\s{0,4}\\*["']|%3[dD]|eyJ|[bB](?:earer|EARER|asic|ASIC)\b|[rs]k_(?:live|test)_|whsec_|gh[oprsu]_|github_pat_|db[ko]_|xox|xapp-|A[KS]IA|AIza|glpat-|npm_|SG\.|ya29\.|hf_|sk-|-----BEGIN|(?:ookie|OOKIE|ey|EY|oken|OKEN|ecret|ECRET):|\d(?:[ -]?\d){12}/;

/**
 * PEM blocks of every label (RFC 7468); to the end of the text where one was cut off. No label holds
 * brackets, so that a replacement within a long line makes no new label.
 */
const PEM = /-----BEGIN [^\r\n[\]]{0,64}?-----[^]*?(?:-----END [^\r\n[\]]{0,64}?-----|$)/g;

/** Not within a word; but right after a percent-encoded or an escaped character. */
const START = '(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\\\[nrt]))';

const TOKEN = new RegExp(
  `${START}(?:${[
    'eyJ[\\w-]*(?:\\.[\\w-]*){0,4}', // JSON Web Tokens, see redactToken
    '[rs]k_(?:live|test)_[A-Za-z0-9]{6,}', // Stripe
    'whsec_[A-Za-z0-9+/=]{16,}',
    'gh[oprsu]_[A-Za-z0-9]{10,}', // GitHub
    'github_pat_\\w{10,}',
    'db[ko]_[\\w.-]{8,}', // our own
    'xox[a-z]-[\\w-]{8,}', // Slack
    'xapp-[\\w-]{16,}',
    'A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])', // AWS
    'AIza[\\w-]{30,}', // Google
    'ya29\\.[\\w-]{20,}',
    'glpat-[\\w-]{16,}', // GitLab
    'npm_[A-Za-z0-9]{20,}',
    'SG\\.[\\w-]{16,}\\.[\\w-]{16,}', // SendGrid
    'hf_[A-Za-z0-9]{30,}', // Hugging Face
    'sk-[\\w-]{20,}', // OpenAI, Anthropic; see redactToken
  ].join('|')})`,
  'g',
);

function redactToken(token: string): string {
  if (token.startsWith('eyJ')) {
    const [head = '', ...rest] = token.split('.');
    return rest.length >= 2 && head.length >= 10 ? REDACTED : token;
  }
  // A name in kebab case may begin with sk-, but has no digit and capital.
  if (token.startsWith('sk-')) return /\d/.test(token) && /[A-Z]|\w{20}/.test(token) ? REDACTED : token;
  return REDACTED;
}

/** Credentials of the HTTP authentication schemes (RFC 6750, RFC 7617); some send the scheme twice. */
const SCHEME = /(?<![A-Za-z0-9])(bearer|basic)(?:(?:\s+|%20)bearer)*(?:\s+|%20)([A-Za-z0-9._~+/-]+=*)/gi;

function redactScheme(
  match: string,
  scheme: string,
  credentials: string,
  offset: number,
  text: string,
): string {
  if (scheme.toLowerCase() === 'basic') return isUserAndPassword(credentials) ? REDACTED : match;
  const start = offset + match.length - credentials.length;
  return isBearer(credentials) && matchAt(PARAMETER, text, start) === '' ? REDACTED : match;
}

/** A parameter of a challenge (RFC 9110, section 11.2) and the beginning of its value. */
const PARAMETER = /[a-z_-]{1,32}="?[^\s"'=,;)}\]\\]/y;

/**
 * Tells "Bearer mF_9.B5f" and "Bearer abcdefghijkl" from "Bearer authentication failed" and "bearer of
 * bad news": without a digit or mixed case, eight characters or more are prose only if they are letters
 * that end as words do.
 */
function isBearer(credentials: string): boolean {
  const word = credentials.replace(/[.-]+$/, '');
  if (word.length < 6) return false;
  if (/\d/.test(word) || /[a-z][A-Z]/.test(word) || /[A-Za-z]{15}/.test(word)) return true;
  return word.length >= 8 && !(WORDS.test(word) && WORD_END.test(word));
}

const WORDS = /^[A-Za-z]+(?:[-/_][A-Za-z]+)*$/;
/** Ends most English words of eight letters or more, and one in fifty random strings of letters. */
const WORD_END = new RegExp(
  `(?:${[
    '[-/_](?:token|auth|scheme|header|key)',
    'able|ible|ange|enge|less|ness|ment|ship|hood|ward|word|ware|work|form|port|point|flow|type|data',
    'ism|ist|ive|ise|ize|ify|ing|ion|ity|ful|ous|ate|ite|ute|ure|age|ide|ace|ice|rce|nce|nse|ncy|egy|rty|ies|col|ugh',
    'nt|al|an|ed|en|er|ic|ly|on|or|ry',
  ].join('|')})s?$`,
  'i',
);

function isUserAndPassword(credentials: string): boolean {
  try {
    return /^[\x20-\x39\x3b-\x7e\x80-\xff]*:/.test(atob(credentials));
  } catch {
    return false;
  }
}

const URL_PASSWORD = /(:\/\/[^\s/?#:@"'<>[\]]*:)([^\s/?#"'<>]+)@/g;
/** A password that should have been percent-encoded: what follows the colon is no port. */
const URL_PASSWORD_WITH_SLASH = /(:\/\/[^\s/?#:@"'<>[\]]*:)(?!\d*(?:[/?#;,\s]|$))([^\s"'<>@]{1,128})@/g;

/** The user of a URL; with a password too, for some services take a token for the user. */
const URL_USER = /(:\/\/)([^\s/?#:@"'<>[\]]+)(?=@|:[^\s/?#"'<>]*@)/g;

function redactUrls(text: string): string {
  return text
    .replace(URL_PASSWORD, redactUrl)
    .replace(URL_PASSWORD_WITH_SLASH, redactUrl)
    .replace(URL_USER, redactUser);
}

function redactUrl(_match: string, before: string): string {
  return `${before}${REDACTED}@`;
}

function redactUser(match: string, before: string, user: string): string {
  return isOpaque(user) ? before + REDACTED : match;
}

/**
 * Tells a token from the name of a user, such as `git`, `deploy-bot`, `JohnDoe2024` or an e-mail address:
 * a UUID, 20 letters and digits on end, or 8 in which capitals, small letters and digits alternate.
 */
function isOpaque(user: string): boolean {
  if (UUID.test(user)) return true;
  const runs = user.replace(/%[0-9A-Fa-f]{2}/g, ' ').match(/[A-Za-z0-9]{8,}/g) ?? [];
  return runs.some((run) => run.length >= 20 || (run.match(ALTERNATION)?.length ?? 0) >= 3);
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const ALTERNATION = /[a-z](?=[A-Z0-9])|[A-Z](?=[0-9])|[0-9](?=[A-Za-z])/g;

/** Header lines of HTTP that carry credentials without a scheme; in prose a colon announces no value. */
const HEADER = /(?<![\w-])((?:set-)?cookie|x-[\w-]{0,32}(?:key|token|secret)):([ \t]*)([^\s"'][^\r\n"']*)/gi;

function redactHeader(match: string, name: string, space: string, value: string): string {
  const isCookie = /cookie$/i.test(name);
  return isCookie && !value.includes('=') ? match : `${name}:${space}${REDACTED}`;
}

/** A name and what may stand between it and its value in queries, settings, headers, JSON and code. */
const NAME = /(?<![\w.-])([\w.-]{1,128})(\\*["']?)\s{0,4}(=>|=(?!=)|:(?!\/)|%3[dD])\s{0,4}/g;
const QUOTED = /(?:"(?:[^"\\]|\\[^])*|'(?:[^'\\]|\\[^])*|\\+"(?:[^\\]|\\+[^"\\])*|\\+'(?:[^\\]|\\+[^'\\])*)/y;
const BARE = /[^\s&;"'<>#\\]+/y;
const DIGITS = /\d+/y;
const ENCODED = /(?:(?!%2[236])[^\s&;"'<>#\\])+/y;

function redactPairs(text: string): string {
  let result = '';
  let done = 0;
  NAME.lastIndex = 0;
  for (let match = NAME.exec(text); match !== null; match = NAME.exec(text)) {
    const [, name = '', quote = '', separator = ''] = match;
    const secrecy = secrecyOfName(decodedName(name, text[match.index - 1]));
    if (secrecy === undefined) continue;
    const value = valueAt(text, NAME.lastIndex, quote + separator);
    const bare = value.replace(/^\\*["']/, '');
    if (value === '' || isHarmless(bare, secrecy)) continue;
    const opening = value.slice(0, value.length - bare.length);
    result += text.slice(done, NAME.lastIndex) + opening + REDACTED;
    done = NAME.lastIndex + value.length;
    NAME.lastIndex = done;
  }
  return done === 0 ? text : result + text.slice(done);
}

/** In `%3Ftoken%3D` the name begins after the two digits of the encoded `?`. */
function decodedName(name: string, before: string | undefined): string {
  return before === '%' ? name.replace(/^[0-9A-Fa-f]{2}/, '') : name;
}

/** The value from `start` on, with its opening quote but not its closing one. */
function valueAt(text: string, start: number, separator: string): string {
  const quoted = matchAt(QUOTED, text, start);
  if (quoted !== '') return quoted;
  if (separator.endsWith('=')) return matchAt(BARE, text, start);
  if (/%3d$/i.test(separator)) return matchAt(ENCODED, text, start);
  // "token: expired" is prose; a number follows the colon of a name in quotes.
  return /^\\*["']/.test(separator) ? matchAt(DIGITS, text, start) : '';
}

function matchAt(pattern: RegExp, text: string, start: number): string {
  pattern.lastIndex = start;
  return pattern.exec(text)?.[0] ?? '';
}
