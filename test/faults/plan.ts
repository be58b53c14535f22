import { randomOf } from './random.ts';
import type { Weather } from './weather.ts';

/** What happens when, in ms since the run began. */
export type Step =
  | { at: number; do: 'weather'; weather: Weather }
  /** the server ends as in a crash, and comes back after `downMs` */
  | { at: number; do: 'crash'; downMs: number }
  /** the Worker is killed and started again */
  | { at: number; do: 'kill' };

/** ms between two events of a kind: the one before must be over */
const APART = 8000;

/**
 * A run of changing weather: stretches in which single calls fail, between them calm or an outage of some seconds; crashes of
 * the server and deaths of the Worker anywhere. The same seed and duration make the same plan, which ends calm.
 * @param duration ms
 * @param options.kills whether the Worker dies at all
 */
export function planMixed(seed: number, duration: number, options: { kills: boolean }): Step[] {
  const deaths = options.kills ? kills(seed, duration) : [];
  const steps = [...weathers(seed, duration), ...crashes(seed, duration), ...deaths];
  return [...steps.sort((a, b) => a.at - b.at), { at: duration, do: 'weather', weather: { kind: 'calm' } }];
}

function weathers(seed: number, duration: number): Step[] {
  const random = randomOf(seed, 'weather');
  const outages = ['refuse', 'hang', 'unavailable'] as const;
  // Each kind of outage comes before one comes again; the seed says which is first.
  let turn = random.integer(0, outages.length - 1);
  const steps: Step[] = [];
  let at = 0;
  while (at < duration) {
    steps.push({ at, do: 'weather', weather: { kind: 'shaky', rate: random.between(0.2, 0.7) } });
    at += random.between(2000, 4000);
    const how = outages[(turn += 1) % outages.length] ?? 'refuse';
    const weather: Weather = random.chance(0.3) ? { kind: 'calm' } : { kind: 'down', how };
    steps.push({ at, do: 'weather', weather });
    at += random.between(1500, weather.kind === 'down' ? 5000 : 2500);
  }
  return steps.filter((step) => step.at < duration);
}

function crashes(seed: number, duration: number): Step[] {
  const random = randomOf(seed, 'crashes');
  return instants(random.between(2000, 6000), duration, () => random.between(APART, 2 * APART)).map((at) => ({
    at,
    do: 'crash',
    downMs: random.between(0, 2000),
  }));
}

function kills(seed: number, duration: number): Step[] {
  const random = randomOf(seed, 'kills');
  return instants(random.between(4000, 8000), duration, () => random.between(APART, 2 * APART)).map((at) => ({
    at,
    do: 'kill',
  }));
}

function instants(first: number, duration: number, pause: () => number): number[] {
  const found: number[] = [];
  for (let at = first; at < duration; at += pause()) found.push(at);
  return found;
}
