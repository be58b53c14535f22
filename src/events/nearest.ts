const LONGEST = 64;
const SEPARATOR = /[._:-]/g;

/**
 * The known names that a mistyped one may stand for, the likeliest first: the same but for case and separators, one of its
 * words (`ip` for `ip_address`), or within two typing errors (one, for names under six letters; none, under three).
 */
export function nearestNames(name: string, known: Iterable<string>): string[] {
  if (name.length > LONGEST) return [];
  const plain = plainForm(name);
  const most = plain.length < 3 ? 0 : plain.length < 6 ? 1 : 2;
  const near: { candidate: string; errors: number }[] = [];
  for (const candidate of known) {
    const isPart = candidate.toLowerCase().split(SEPARATOR).includes(plain);
    const errors = Math.min(isPart ? 1 : Infinity, editDistance(plain, plainForm(candidate), most));
    if (isPart || errors <= most) near.push({ candidate, errors });
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
  let next: number[] = [];
  for (let i = 1; i <= a.length; i += 1) {
    // What is farther from the diagonal has more than `most`.
    const [from, to] = [Math.max(1, i - most), Math.min(b.length, i + most)];
    let left = from === 1 ? i : Infinity;
    let least = left;
    next[from - 1] = left;
    for (let j = from; j <= to; j += 1) {
      const swap = (row[j - 1] ?? Infinity) + (a[i - 1] === b[j - 1] ? 0 : 1);
      left = Math.min(swap, (row[j] ?? Infinity) + 1, left + 1);
      next[j] = left;
      least = Math.min(least, left);
    }
    // No later row has less than the least of this one.
    if (least > most) return Infinity;
    next[to + 1] = Infinity;
    [row, next] = [next, row];
  }
  return row[b.length] ?? Infinity;
}
