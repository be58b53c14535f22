/** The digits between separators in which card numbers are printed. */
const GROUPINGS = [
  [4, 4, 4, 4],
  [4, 6, 5],
  [4, 6, 4],
  [4, 4, 4, 4, 3],
];

/**
 * Runs of digits with single spaces or dashes between them that do not belong to a longer word:
 * `ORD-4111…`, `+4111…` and `#4111…` are identifiers and phone numbers.
 */
const RUN = /(?<![\w.+#-])(?<!\d )\d(?:[ -]?\d){12,}(?!\w)/g;

/** Replaces the payment card numbers (ISO/IEC 7812) within a text. */
export function replaceCardNumbers(text: string, replacement: string): string {
  return text.replace(RUN, (run) => replaceInRun(run, replacement));
}

function replaceInRun(run: string, replacement: string): string {
  const groups = [...run.matchAll(/\d+/g)];
  let result = '';
  let done = 0;
  for (let first = 0; first < groups.length; first += 1) {
    const count = cardGroups(groups, first);
    const head = groups[first];
    const last = groups[first + count - 1];
    if (count === 0 || head === undefined || last === undefined) continue;
    result += run.slice(done, head.index) + replacement;
    done = last.index + last[0].length;
    first += count - 1;
  }
  return result + run.slice(done);
}

/** How many of the groups, from one on, make a card number: 0 for none. */
function cardGroups(groups: RegExpExecArray[], first: number): number {
  const head = groups[first]?.[0] ?? '';
  if (head.length > 4) return isCardNumber(head) ? 1 : 0;
  if (head.length < 4) return 0;
  const grouping = GROUPINGS.find(
    (lengths) =>
      lengths.every((length, index) => groups[first + index]?.[0].length === length) &&
      isCardNumber(
        groups
          .slice(first, first + lengths.length)
          .map((group) => group[0])
          .join(''),
      ),
  );
  return grouping?.length ?? 0;
}

/** Whether 13 to 19 digits have the prefix and length of a card scheme, and Luhn's check digit. */
export function isCardNumber(digits: string): boolean {
  const { length } = digits;
  if (length < 13 || length > 19) return false;
  return (
    SCHEMES.some(([prefix, lengths]) => lengths.includes(length) && prefix.test(digits)) && passesLuhn(digits)
  );
}

const SCHEMES: [prefix: RegExp, lengths: number[]][] = [
  [/^4/, [13, 16, 19]], // Visa
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]], // Mastercard
  [/^3[47]/, [15]], // American Express
  [/^(?:6011|64[4-9]|65)/, [16, 17, 18, 19]], // Discover
  [/^35(?:2[89]|[3-8])/, [16, 17, 18, 19]], // JCB
  [/^(?:30[0-5]|36|38|39)/, [14]], // Diners Club
  [/^62/, [16, 17, 18, 19]], // UnionPay
  [/^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, [16, 17, 18, 19]], // Maestro
  [/^220[0-4]/, [16]], // Mir
];

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 0x30;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
