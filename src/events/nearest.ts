const LONGEST = 64;
const SEPARATOR = /[._:-]/g;

/**
 * The known names that a mistyped one may stand for, the likeliest first: the same but for case and separators, one of its
 * words (`ip` for `ip_address`), or within two typing errors (one, for names under six letters).
 */
export function nearestNames(name: string, known: Iterable<string>): string[] {
  if (name.length > LONGEST) return [];
  const plain = plainForm(name);
  const most = plain.length < 6 ? 1 : 2;
  const near: { candidate: string; errors: number }[] = [];
  for (const candidate of known) {
    const isPart = candidate.toLowerCase().split(SEPARATOR).includes(plain);
    const errors = Math.min(isPart ? 1 : Infinity, editDistance(plain, plainForm(candidate), most));
    if (errors <= most) near.push({ candidate, errors });
  }
  return near.sort((a, b) => a.errors - b.errors).map(({ candidate }) => candidate);
}

/** The likeliest of `nearestNames`. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  return nearestNames(name, known)[0];
}

function plainForm(name: string): string {
  return name.toLowerCase().replaceAll(SEPARATOR, '');
}

/** Levenshtein distance, one row at a time; Infinity as soon as it is known to be more than `most`. */
export function editDistance(a: ArrayLike<string>, b: ArrayLike<string>, most: number): number {
  if (Math.abs(a.length - b.length) > most) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    // No later row has less than the least of this one.
    if (Math.min(...next) > most) return Infinity;
    row = next;
  }
  return row[b.length] ?? 0;
}
