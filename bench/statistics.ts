/** Middle of the values; the mean of the two middle ones where there are two. */
export function median(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  const middle = ordered.length >> 1;
  const upper = ordered[middle] ?? Number.NaN;
  return ordered.length % 2 === 1 ? upper : ((ordered[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Median, and the span of all values. */
export function summary(values: readonly number[], digits: number): string {
  const text = (value: number) =>
    value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text(median(values)).padStart(9)}  (${text(Math.min(...values))} – ${text(Math.max(...values))})`;
}

/** Round by round, how many times as fast the first was: what drifts with the machine cancels out. */
export function ratios(fast: readonly number[], slow: readonly number[]): number[] {
  return fast.map((value, round) => value / (slow[round] ?? Number.NaN));
}
