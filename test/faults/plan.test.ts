import { describe, expect, test } from 'vitest';
import { makeEvent } from './event.ts';
import { shots } from './load.ts';
import { planMixed, type Step } from './plan.ts';
import { randomOf } from './random.ts';
import { earlyFault, faultOf } from './weather.ts';

const DURATION = 30_000;
const plans = [1, 2, 3, 4, 5].map((seed) => planMixed(seed, DURATION, { kills: true }));

describe('the plan of a mixed run', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(planMixed(3, DURATION, { kills: true })).toEqual(plans[2]);
    expect(new Set(plans.map((plan) => JSON.stringify(plan))).size).toBe(plans.length);
  });

  test.each(plans.map((plan, index) => [index + 1, plan]))(
    'of seed %i is in order, and ends calm',
    (_, plan) => {
      const times = plan.map(({ at }) => at);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(plan.at(-1)).toEqual({ at: DURATION, do: 'weather', weather: { kind: 'calm' } });
    },
  );

  test('has crashes, deaths, failing calls and an outage for each seed', () => {
    for (const plan of plans)
      expect(kindsOf(plan)).toEqual(new Set(['crash', 'kill', 'shaky', 'down', 'calm']));
  });

  test('leaves the Worker alive where it is told to, and is the same otherwise', () => {
    const plan = planMixed(1, DURATION, { kills: false });
    expect(plan).toEqual(plans[0]?.filter((step) => step.do !== 'kill'));
  });

  test('never kills a Worker or a server that may still be starting', () => {
    for (const kind of ['crash', 'kill'] as const) {
      for (const plan of plans) {
        const times = plan.filter((step) => step.do === kind).map(({ at }) => at);
        const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0));
        expect(Math.min(...pauses)).toBeGreaterThanOrEqual(8000);
      }
    }
  });
});

function kindsOf(plan: readonly Step[]): Set<string> {
  return new Set(plan.map((step) => (step.do === 'weather' ? step.weather.kind : step.do)));
}

describe('the faults of single calls', () => {
  test('are none in calm weather, and the same in every call of an outage', () => {
    const random = randomOf(1);
    expect(faultOf({ kind: 'calm' }, random)).toBeUndefined();
    expect(earlyFault({ kind: 'calm' }, random)).toBeUndefined();
    expect(faultOf({ kind: 'down', how: 'hang' }, random)).toEqual({
      name: 'outage: hang',
      fault: { kind: 'hang' },
    });
  });

  test('are all drawn in shaky weather, about as often as it says', () => {
    const random = randomOf(1);
    const weather = { kind: 'shaky', rate: 0.5 } as const;
    const drawn = Array.from({ length: 2000 }, () => faultOf(weather, random)?.name);
    expect(new Set(drawn).size).toBe(9);
    expect(drawn.filter((name) => name === undefined).length / drawn.length).toBeCloseTo(0.5, 1);
    const early = Array.from({ length: 2000 }, () => earlyFault(weather, random));
    expect(early.filter((fault) => fault !== undefined).length).toBeGreaterThan(50);
  });
});

describe('the load', () => {
  const load = { seed: 1, events: 2000, perSecond: 100, acks: ['accepted', 'queued', 'committed'] } as const;
  const all = [...shots(load)];

  test('is the same for the same seed, events included', () => {
    expect([...shots(load)]).toEqual(all);
    expect(makeEvent(1, 7).content.actor_id).toBe(makeEvent(1, 7).content.actor_id);
    expect(makeEvent(1, 7).id).not.toBe(makeEvent(1, 7).id);
  });

  test('has every event once, in singles and batches of each ack, evenly over time', () => {
    const places = all.flatMap(({ first, events }) => Array.from({ length: events }, (_, at) => first + at));
    expect(places).toEqual(Array.from({ length: load.events }, (_, place) => place));
    const kinds = all.map(({ ack, events }) => `${ack} ${events === 1 ? 'single' : 'batch'}`);
    expect(new Set(kinds).size).toBe(6);
    expect(all.at(-1)?.at).toBeCloseTo(20_000, -3);
    expect(all.some(({ again }) => again !== undefined)).toBe(true);
  });
});
