import { dirname } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from 'wrangler';
import { z } from 'zod';
import { Tally } from './tally.ts';

/** What the process that holds the Worker is told. */
export type WorkerOrder =
  | { do: 'start'; scriptPath: string; bindings: Record<string, string>; port: number }
  | { do: 'kill' }
  | { do: 'report' };

/** Its answer to each. */
export interface WorkerReport {
  url: string | undefined;
  /** lines of the Worker's log, by their event, and what the platform said of dead letters */
  lines: Record<string, number>;
}

// Far above what the clients send: a refusal by rate is no fault of the database.
const NO_LIMIT = 1_000_000_000;

const limits = z.array(z.looseObject({ simple: z.looseObject({ limit: z.number() }) }));
const vars = z.record(z.string(), z.json());

const tally = new Tally();

/** What miniflare says itself; with colours, which do not matter here. */
class PlatformLog extends Log {
  override log(message: string): void {
    tally.platform(message);
  }
}

let worker: Miniflare | undefined;
let url: string | undefined;

/** Queues, limits and flags are those of wrangler.toml, read as wrangler reads them. */
async function start({ scriptPath, bindings, port }: WorkerOrder & { do: 'start' }): Promise<void> {
  const config = unstable_readConfig({ config: 'wrangler.toml' });
  const ratelimits = limits.parse(config.ratelimits).map((ratelimit) => {
    return { ...ratelimit, simple: { ...ratelimit.simple, limit: NO_LIMIT } };
  });
  const { workerOptions } = unstable_getMiniflareWorkerOptions({ ...config, ratelimits });
  // Rules of bundling: the script is a bundle already.
  const { modulesRules: _, ...platform } = workerOptions;
  worker = new Miniflare(
    convertV4MiniflareOptions({
      ...platform,
      modules: true,
      scriptPath,
      modulesRoot: dirname(scriptPath),
      // Not what a developer's own .dev.vars says.
      bindings: { ...vars.parse(config.vars), ...bindings },
      host: '127.0.0.1',
      // Past miniflare's own proxy, whose garbage would be collected in the same thread.
      unsafeDirectSockets: [{ host: '127.0.0.1', port }],
      log: new PlatformLog(LogLevel.WARN),
      handleStructuredLogs: ({ message }) => tally.worker(message),
      unsafeHandleRuntimeRestart: () => tally.crash(),
    }),
  );
  url = (await worker.unsafeGetDirectURL()).origin;
}

/** workerd is killed (SIGKILL): what it holds is gone, and requests under way break. */
async function kill(): Promise<void> {
  const dying = worker;
  worker = undefined;
  url = undefined;
  await dying?.dispose();
}

process.on('message', async (order: WorkerOrder) => {
  if (order.do === 'start') await start(order);
  if (order.do === 'kill') await kill();
  const report: WorkerReport = { url, lines: tally.lines };
  process.send?.(report);
});
process.once('disconnect', async () => {
  await kill();
  process.exit(0);
});
