import { createIsolate, type Isolate } from './app.ts';
import { ConfigurationError, parseEnv } from './env.ts';
import { describe } from './http/describe.ts';
import { problemBody } from './http/problem.ts';
import { consumeDead } from './ingest/consume-dead.ts';
import { consume } from './ingest/consume.ts';
import { delayAfter, postpone, type Delivered } from './ingest/postpone.ts';
import type { DaybookOptions } from './options.ts';
import { runRetention } from './retention/run.ts';

/** How its name ends, in whichever environment. */
const DEAD_LETTER_QUEUE = '-dead';

/** What the platform gives a request beside its bindings. */
export interface Execution {
  waitUntil(promise: Promise<unknown>): void;
  passThroughOnException(): void;
  props: unknown;
}

/** What a queue of the platform delivers. */
export interface QueueBatch {
  readonly queue: string;
  readonly messages: readonly Delivered[];
}

/** The handlers of a Worker, to be its default export. */
export interface Daybook {
  fetch(request: Request, env: unknown, ctx: Execution): Promise<Response>;
  /** What the queue held for the database, and what the platform gave up delivering. */
  queue(batch: QueueBatch, env: unknown): Promise<void>;
  /** Hourly. What it throws, the platform counts as a failed run. */
  scheduled(controller: unknown, env: unknown): Promise<void>;
}

/**
 * Makes the Worker. Its bindings and variables are those of wrangler.toml.
 * @example
 * import { createDaybook } from 'daybook';
 *
 * export default createDaybook({ defaultAck: 'committed' });
 */
export function createDaybook(options: DaybookOptions = {}): Daybook {
  /** Bindings never change within an isolate. */
  let isolate: Isolate | undefined;
  const isolateFor = (env: unknown): Isolate => {
    isolate ??= createIsolate(parseEnv(env, options), options);
    return isolate;
  };

  return {
    async fetch(request, env, ctx) {
      try {
        return await isolateFor(env).app.fetch(request, env ?? {}, ctx);
      } catch (error) {
        reportNotConfigured(error);
        return notConfigured(request);
      }
    },

    async queue(batch, env) {
      let configured: Isolate;
      try {
        configured = isolateFor(env);
      } catch (error) {
        reportNotConfigured(error);
        // Someone has to mend it first: the messages must not use up their attempts meanwhile.
        for (const message of batch.messages) message.retry({ delaySeconds: 3600 });
        return;
      }
      const { database, spill } = configured.ingest;
      const consumer = batch.queue.endsWith(DEAD_LETTER_QUEUE) ? consumeDead : consume;
      try {
        await consumer(batch.messages, database, spill);
      } catch (error) {
        console.error(JSON.stringify({ event: 'internal_error', in: 'queue', ...describe(error) }));
        // A fault of ours must not use up their attempts. Where one was acknowledged before, that stays.
        for (const message of batch.messages)
          await postpone(message, delayAfter(message.attempts, database.breaker), spill);
      }
    },

    async scheduled(_controller, env) {
      const summary = await runRetention(isolateFor(env).sql, 'cron');
      console.log(JSON.stringify({ event: 'retention_run', ...summary }));
    },
  };
}

/** Says in the log what is not configured. @throws whatever else it is */
function reportNotConfigured(error: unknown): void {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(JSON.stringify({ event: 'not_configured', detail: error.message }));
}

function notConfigured(request: Request): Response {
  const requestId = crypto.randomUUID();
  const detail = 'This deployment is not configured. The log of the Worker says what is missing.';
  const body = problemBody({ code: 'internal_error', detail }, new URL(request.url).origin, requestId);
  const headers = { 'Content-Type': 'application/problem+json', 'X-Request-Id': requestId };
  return Response.json(body, { status: body.status, headers });
}
