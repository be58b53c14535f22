/** Latencies of one kind, and how sure the 99th percentile is. */
export interface Percentile {
  samples: number;
  /** ms */
  p50: number;
  p99: number;
  /** 95 % confidence interval of the p99, by order statistics: it assumes no distribution */
  low: number;
  high: number;
}

/** @param values ms; NaN throughout where there are none */
export function percentile(values: readonly number[]): Percentile {
  const ordered = values.toSorted((a, b) => a - b);
  const at = (rank: number) => ordered[Math.min(ordered.length - 1, Math.max(0, Math.ceil(rank) - 1))] ?? NaN;
  const rank = ordered.length * 0.99;
  const margin = 1.96 * Math.sqrt(rank * 0.01);
  return {
    samples: ordered.length,
    p50: at(ordered.length / 2),
    p99: at(rank),
    low: at(rank - margin),
    high: at(rank + margin),
  };
}
