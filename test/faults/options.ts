import { parseArgs } from 'node:util';
import { ACKS, type Ack } from './ledger.ts';

export const SCENARIOS = ['mixed', 'database', 'outage', 'restarts'] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface Options {
  scenarios: readonly Scenario[];
  /** of the mixed scenario, one run each; the others take the first */
  seeds: readonly [number, ...number[]];
  /** of one mixed run */
  events: number;
  clients: number;
  acks: readonly [Ack, ...Ack[]];
  /** seconds that the database is away in the scenario of that name */
  outage: number;
  /** how often the Worker is killed in the scenario of that name */
  restarts: number;
  /** where the report goes as JSON */
  report: string | undefined;
}

export const USAGE = `node test/faults/main.ts
  --scenario mixed|database|outage|restarts
                                     all of them unless given; may be repeated
  --seed N                           may be repeated; 1 to 5 unless given
  --events N                         of one mixed run; 20000 unless given
  --clients N                        20 unless given
  --ack accepted|queued|committed    may be repeated; all three unless given
  --outage SECONDS                   60 unless given
  --restarts N                       50 unless given
  --report FILE                      writes what was found as JSON`;

/** @throws TypeError or RangeError that says what is wrong with the arguments */
export function readOptions(args: readonly string[]): Options {
  const one = { type: 'string' } as const;
  const many = { type: 'string', multiple: true } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: many,
      seed: many,
      events: one,
      clients: one,
      ack: many,
      outage: one,
      restarts: one,
      report: one,
    },
  });
  const [seed = 1, ...seeds] = (values.seed ?? ['1', '2', '3', '4', '5']).map(wholeNumber);
  const [ack = 'accepted', ...acks] = (values.ack ?? ACKS).map((name) => among(ACKS, name));
  return {
    scenarios: (values.scenario ?? SCENARIOS).map((name) => among(SCENARIOS, name)),
    seeds: [seed, ...seeds],
    events: wholeNumber(values.events ?? '20000'),
    clients: wholeNumber(values.clients ?? '20'),
    acks: [ack, ...acks],
    outage: wholeNumber(values.outage ?? '60'),
    restarts: wholeNumber(values.restarts ?? '50'),
    report: values.report,
  };
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new RangeError(`${text} is no whole number from 1 on`);
  return Number(text);
}

function among<T extends string>(known: readonly T[], name: string): T {
  const found = known.find((candidate) => candidate === name);
  if (found === undefined) throw new RangeError(`${name} is none of ${known.join(', ')}`);
  return found;
}
