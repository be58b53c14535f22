import type { EarlyFault, Fault } from '../../src/local/fault.ts';
import type { Random } from './random.ts';

/** What the database is like for a while: well, failing single calls, or gone. */
export type Weather =
  | { kind: 'calm' }
  /** each call fails with this probability */
  | { kind: 'shaky'; rate: number }
  | { kind: 'down'; how: 'refuse' | 'hang' | 'unavailable' };

const LATENCY = 10_000;

/** Single-call faults, by the names under which they are counted. */
const FAULTS: Record<string, Fault> = {
  refuse: { kind: 'refuse' },
  'answer 500': { kind: 'unavailable' },
  'connection closed after the commit': {
    kind: 'error-after-commit',
    error: { message: 'connection closed', code: '', severity: '' },
  },
  'shut down after the commit (57P01)': { kind: 'error-after-commit' },
  'reset after the commit': { kind: 'reset-after-commit' },
};

/** They hold a call for as long as it is waited for, so they are drawn less often. */
const SLOW_FAULTS: Record<string, Fault> = {
  hang: { kind: 'hang' },
  'latency of 10 s before': { kind: 'delay', beforeMs: LATENCY },
  'latency of 10 s after the commit': { kind: 'delay', afterMs: LATENCY },
};

const EARLY = 'reset mid-request';
const SLOW_SHARE = 0.05;
const EARLY_SHARE = 0.15;

export interface Named<T> {
  name: string;
  fault: T;
}

/** What happens to a request of which only the head has come. */
export function earlyFault(weather: Weather, random: Random): Named<EarlyFault> | undefined {
  if (weather.kind !== 'shaky' || !random.chance(weather.rate * EARLY_SHARE)) return undefined;
  return { name: EARLY, fault: { kind: 'reset-mid-request' } };
}

/** What happens to a request that has come whole. */
export function faultOf(weather: Weather, random: Random): Named<Fault> | undefined {
  if (weather.kind === 'down') return { name: `outage: ${weather.how}`, fault: { kind: weather.how } };
  if (weather.kind !== 'shaky' || !random.chance(weather.rate)) return undefined;
  const [first, ...others] = Object.entries(random.chance(SLOW_SHARE) ? SLOW_FAULTS : FAULTS);
  if (first === undefined) return undefined;
  const [name, fault] = random.pick([first, ...others]);
  return { name, fault };
}
