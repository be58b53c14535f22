import { replaceCardNumbers } from './card-number.ts';
import { secrecyOfName, type Secrecy } from './secret-names.ts';

export const REDACTED = '[redacted]';

/**
 * Replaces the secrets within a text, by their own looks or by the name that stands before them.
 * Linear in the length of the text: every pattern either consumes what it looked at or is bounded.
 */
export function redactText(text: string, cards: boolean): string {
  if (!SUSPECT.test(text)) return text;
  let result = text.replace(PEM, REDACTED).replace(TOKEN, redactToken).replace(SCHEME, redactScheme);
  result = result.replace(URL_PASSWORD, redactUrl).replace(URL_PASSWORD_WITH_SLASH, redactUrl);
  result = redactPairs(result.replace(HEADER, redactHeader));
  return cards ? replaceCardNumbers(result, REDACTED) : result;
}

/** Replaces what stands in a URL's user information and in query parameters with secret names. */
export function redactUrlSecrets(text: string): string {
  if (!/=|%3[dD]|:\/\//.test(text)) return text;
  return redactPairs(text.replace(URL_PASSWORD, redactUrl).replace(URL_PASSWORD_WITH_SLASH, redactUrl));
}

/** True for what may stand under a secret's name without being it. */
export function isHarmless(value: string, secrecy: Secrecy): boolean {
  return HARMLESS.test(value) || (secrecy === 'likely' && (NUMERIC.test(value) || STATUS.test(value)));
}

const HARMLESS = /^(?:\[redacted\]|true|false|null|undefined|[*•]+|\?|%s|\$\d+)?$/i;
const NUMERIC = /^\d{1,9}$/;
/** What is told about a token, a cookie or an authorization rather than being one. */
const STATUS =
  /^(?:granted|denied|allowed|refused|accepted|rejected|valid|invalid|expired|revoked|rotated|missing|present|absent|required|optional|enabled|disabled|active|inactive|changed|unchanged|created|updated|deleted|added|removed|set|unset|yes|no|none|ok|all)$/i;

/** One look at the beginnings of all patterns below, for the many texts that hold none. */
const SUSPECT =
  /[=]|:\/\/|["']\s{0,4}:|:\s{0,4}\\*["']|%3[dD]|eyJ|[bB](?:earer|EARER|asic|ASIC)\b|[rs]k_(?:live|test)_|whsec_|gh[oprsu]_|github_pat_|dbk_|xox|xapp-|A[KS]IA|AIza|glpat-|npm_|SG\.|ya29\.|hf_|sk-|-----BEGIN|(?:ookie|OOKIE|ey|EY|oken|OKEN|ecret|ECRET):|\d(?:[ -]?\d){12}/;

/** PEM private keys (RFC 7468); to the end of the text where it was cut off. */
const PEM =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/g;

/** Not within a word; but right after a percent-encoded or an escaped character. */
const START = '(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\\\[nrt]))';

const TOKEN = new RegExp(
  `${START}(?:${[
    'eyJ[\\w-]*(?:\\.[\\w-]*){0,4}', // JSON Web Tokens, see redactToken
    '[rs]k_(?:live|test)_[A-Za-z0-9]{6,}', // Stripe
    'whsec_[A-Za-z0-9+/=]{16,}',
    'gh[oprsu]_[A-Za-z0-9]{10,}', // GitHub
    'github_pat_\\w{10,}',
    'dbk_[\\w.-]{8,}', // our own
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

/** Credentials of the HTTP authentication schemes (RFC 6750, RFC 7617). */
const SCHEME = /(?<![A-Za-z0-9])(bearer|basic)(?:\s+|%20)([A-Za-z0-9._~+/-]+=*)/gi;

function redactScheme(match: string, scheme: string, credentials: string): string {
  const isSecret = scheme.toLowerCase() === 'basic' ? isUserAndPassword(credentials) : isOpaque(credentials);
  return isSecret ? REDACTED : match;
}

/** Tells "Bearer mF_9.B5f" from "bearer authentication failed" and "bearer of bad news". */
function isOpaque(credentials: string): boolean {
  const word = credentials.replace(/[.-]+$/, '');
  return word.length >= 6 && (/\d/.test(word) || /[a-z][A-Z]/.test(word) || /[A-Za-z]{15}/.test(word));
}

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

function redactUrl(_match: string, before: string): string {
  return `${before}${REDACTED}@`;
}

/** Header lines of HTTP that carry credentials without a scheme; in prose a colon announces no value. */
const HEADER = /(?<![\w-])((?:set-)?cookie|x-[\w-]{0,32}(?:key|token|secret)):([ \t]*)([^\s"'][^\r\n"']*)/gi;

function redactHeader(match: string, name: string, space: string, value: string): string {
  const isCookie = /cookie$/i.test(name);
  return isCookie && !value.includes('=') ? match : `${name}:${space}${REDACTED}`;
}

/** A name and what may stand between it and its value in queries, settings, headers, JSON and code. */
const NAME = /(?<![\w.-])([\w.-]{1,128})\\*["']?\s{0,4}(=>|=(?!=)|:(?!\/)|%3[dD])\s{0,4}/g;
const QUOTED = /(?:"(?:[^"\\]|\\[^])*|'(?:[^'\\]|\\[^])*|\\+"(?:[^\\]|\\+[^"\\])*|\\+'(?:[^\\]|\\+[^'\\])*)/y;
const BARE = /[^\s&;"'<>#\\]+/y;
const ENCODED = /(?:(?!%2[236])[^\s&;"'<>#\\])+/y;

function redactPairs(text: string): string {
  let result = '';
  let done = 0;
  NAME.lastIndex = 0;
  for (let match = NAME.exec(text); match !== null; match = NAME.exec(text)) {
    const [, name = '', separator = ''] = match;
    const secrecy = secrecyOfName(decodedName(name, text[match.index - 1]));
    if (secrecy === undefined) continue;
    const value = valueAt(text, NAME.lastIndex, separator);
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
  if (separator === '=') return matchAt(BARE, text, start);
  // "token: expired" is prose; only a quoted value follows a colon or an arrow.
  return separator.startsWith('%') ? matchAt(ENCODED, text, start) : '';
}

function matchAt(pattern: RegExp, text: string, start: number): string {
  pattern.lastIndex = start;
  return pattern.exec(text)?.[0] ?? '';
}
