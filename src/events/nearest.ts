const LONGEST = 64;

/**
 * The known name that a mistyped one most likely stands for: the same but for case, `_` and
 * `-`, one of its words (`ip` for `ip_address`), or within two typing errors (one, for names
 * under six letters).
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined;
  const plain = plainForm(name);
  let best: string | undefined;
  let distance = plain.length < 6 ? 2 : 3;
  for (const candidate of known) {
    const isPart = candidate.split('_').includes(plain);
    const errors = isPart ? 1 : editDistance(plain, plainForm(candidate));
    if (errors < distance) [best, distance] = [candidate, errors];
  }
  return best;
}

function plainForm(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
