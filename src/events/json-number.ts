import type { FlawCode } from './flaw.ts';

const PLAIN_INTEGER = /^-?\d+$/;
const MAX_DIGITS = 17;
const MIN_NORMAL = 2.2250738585072014e-308;

/** The magnitude of a number literal: digits without zeros at either end, times a power of ten. */
interface Decimal {
  digits: string;
  exponent: number;
}

/**
 * What keeps a double from standing for a JSON number literal. An integer must be the same integer when
 * it is written out again, however it is spelt; a fraction is kept as the nearest double, if it has no
 * more digits than a double tells apart.
 *
 * @param value `Number(literal)`
 */
export function numberFlaw(
  literal: string,
  value: number,
): Extract<FlawCode, 'number_out_of_range' | 'number_precision'> | undefined {
  const sent = decimalOf(literal);
  if (sent.digits === '') return undefined;
  if (value === 0 || !Number.isFinite(value)) return 'number_out_of_range';
  return isKept(literal, sent, value) ? undefined : 'number_precision';
}

function isKept(literal: string, sent: Decimal, value: number): boolean {
  if (PLAIN_INTEGER.test(literal)) return Number.isSafeInteger(value);
  if (sent.exponent >= 0) return isWrittenAs(value, sent);
  if (sent.digits.length > MAX_DIGITS) return false;
  // Close to zero a double has fewer digits left than it promises elsewhere.
  return Math.abs(value) >= MIN_NORMAL || isWrittenAs(value, sent);
}

function isWrittenAs(value: number, sent: Decimal): boolean {
  const kept = decimalOf(String(value));
  return kept.digits === sent.digits && kept.exponent === sent.exponent;
}

/** Of a literal whose value is neither 0 nor infinite the exponent is exact: it is no longer than the text. */
function decimalOf(literal: string): Decimal {
  const [mantissa = '', power = '0'] = literal.split(/[eE]/);
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const all = whole + fraction;
  let start = 0;
  let end = all.length;
  while (all[start] === '0') start += 1;
  while (end > start && all[end - 1] === '0') end -= 1;
  return { digits: all.slice(start, end), exponent: Number(power) - fraction.length + all.length - end };
}
