import type { Random } from './random.ts';

export interface Sample {
  /** ms since the run began */
  at: number;
  /** how long it took */
  ms: number;
}

/** A value with the interval in which it lies in 95 of 100 such runs. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
}

export interface Comparison {
  samples: { calm: number; outage: number };
  /** ms */
  p50: { calm: number; outage: number };
  p99: { calm: Estimate; outage: Estimate };
  /** of the p99 in the outage to that of the calm */
  ratio: Estimate;
}

/**
 * One stall of the machine slows many requests on end, so these are no independent samples. Seconds are: they are drawn with
 * replacement, so many times (a block bootstrap).
 */
const RESAMPLES = 300;
const BLOCK = 1000;

/** NaN throughout where there are no samples. */
export function compare(calm: readonly Sample[], outage: readonly Sample[], random: Random): Comparison {
  const drawn = { calm: resample(calm, random), outage: resample(outage, random) };
  const times = { calm: calm.map(({ ms }) => ms), outage: outage.map(({ ms }) => ms) };
  const value = { calm: quantile(times.calm, 0.99), outage: quantile(times.outage, 0.99) };
  const ratios = drawn.outage.map((p99, index) => p99 / (drawn.calm[index] ?? NaN));
  return {
    samples: { calm: calm.length, outage: outage.length },
    p50: { calm: quantile(times.calm, 0.5), outage: quantile(times.outage, 0.5) },
    p99: { calm: estimate(value.calm, drawn.calm), outage: estimate(value.outage, drawn.outage) },
    ratio: estimate(value.outage / value.calm, ratios),
  };
}

/** The 99th percentile of so many runs that might as well have been. */
function resample(samples: readonly Sample[], random: Random): number[] {
  const [first, ...others] = Object.values(Object.groupBy(samples, ({ at }) => Math.floor(at / BLOCK)));
  if (first === undefined) return [];
  const blocks: [Sample[], ...Sample[][]] = [first, ...others.filter((block) => block !== undefined)];
  return Array.from({ length: RESAMPLES }, () => {
    const drawn = blocks.flatMap(() => random.pick(blocks).map(({ ms }) => ms));
    return quantile(drawn, 0.99);
  });
}

function estimate(value: number, drawn: readonly number[]): Estimate {
  return { value, low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) };
}

function quantile(values: readonly number[], share: number): number {
  // A typed array sorts numbers as numbers, and fast.
  const ordered = Float64Array.from(values).sort();
  return ordered[Math.max(0, Math.ceil(ordered.length * share) - 1)] ?? NaN;
}
