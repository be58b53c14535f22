/** Chance that a seed decides: the same seed, the same numbers. */
export interface Random {
  /** 0 ≤ number < 1 */
  next(): number;
  between(low: number, high: number): number;
  /** whole numbers, both bounds included */
  integer(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
}

/** Mulberry32: small, even enough to draw faults. @param salt tells apart several sequences of one seed */
export function randomOf(seed: number, salt = ''): Random {
  let state = seed >>> 0;
  for (const char of salt) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 0x9e3779b1) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    integer,
    between: (low, high) => low + next() * (high - low),
    chance: (probability) => next() < probability,
    pick: (from) => from[integer(0, from.length - 1)] ?? from[0],
  };
}
