import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import * as z from 'zod';
import { UsageError } from '../usage-error.ts';

const FILE = 'wrangler.toml';

/** What a Worker and its queues are called. */
export interface WorkerNames {
  worker: string;
  queue: string;
  deadLetters: string;
}

const settings = z.object({
  // It becomes part of a file's name, and of commands.
  name: z
    .string()
    .regex(/^[\w-]+$/)
    .optional(),
  queues: z
    .object({
      producers: z.array(z.object({ binding: z.string(), queue: z.string() })).default([]),
      consumers: z
        .array(z.object({ queue: z.string(), dead_letter_queue: z.string().optional() }))
        .default([]),
    })
    .default({ producers: [], consumers: [] }),
});
const config = settings.extend({ env: z.record(z.string(), settings).default({}) });

/**
 * Reads the names of an environment off the wrangler.toml of this directory, by wrangler's own rules; where there is none they
 * are those of the package's.
 * @param environment '' for the one at the top
 * @throws UsageError where the file has no such environment, or cannot be read
 */
export function readWorkerNames(environment: string): WorkerNames {
  if (!existsSync(FILE))
    return namesFor(environment === '' ? 'daybook' : `daybook-${environment}`, undefined);
  const { env, ...top } = readConfig();
  if (environment === '') return namesFor(top.name ?? 'daybook', top);
  const own = env[environment];
  if (own === undefined)
    throw new UsageError(
      `${FILE} has no environment ${environment}. Add [env.${environment}] with its queues and rate limits first.`,
    );
  return namesFor(own.name ?? `${top.name ?? 'daybook'}-${environment}`, own);
}

function namesFor(worker: string, own: z.infer<typeof settings> | undefined): WorkerNames {
  const queue = own?.queues.producers.find(({ binding }) => binding === 'QUEUE')?.queue ?? worker;
  const consumer = own?.queues.consumers.find((consumer) => consumer.queue === queue);
  return { worker, queue, deadLetters: consumer?.dead_letter_queue ?? `${queue}-dead` };
}

function readConfig(): z.infer<typeof config> {
  try {
    return config.parse(parse(readFileSync(FILE, 'utf8')));
  } catch (error) {
    throw new UsageError(`${FILE} cannot be read: it is not TOML, or a name in it is none. Mend it.`, {
      cause: error,
    });
  }
}
