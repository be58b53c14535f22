import { createIsolate, type Isolate } from './app.ts';
import { ConfigurationError, parseEnv } from './env.ts';
import { describe } from './http/describe.ts';
import { problemBody } from './http/problem.ts';
import { consumeDead } from './ingest/consume-dead.ts';
import { consume } from './ingest/consume.ts';
import { delayAfter, postpone, type Delivered } from './ingest/postpone.ts';
import { runRetention } from './retention/run.ts';

/** How its name ends, in whichever environment. */
const DEAD_LETTER_QUEUE = '-dead';

/** Bindings never change within an isolate. */
let isolate: Isolate | undefined;

function isolateFor(env: unknown): Isolate {
  isolate ??= createIsolate(parseEnv(env));
  return isolate;
}

interface Execution {
  waitUntil(promise: Promise<unknown>): void;
  passThroughOnException(): void;
  props: unknown;
}

export default {
  async fetch(request: Request, env: unknown, ctx: Execution): Promise<Response> {
    try {
      return await isolateFor(env).app.fetch(request, env ?? {}, ctx);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      console.error(JSON.stringify({ event: 'not_configured', detail: error.message }));
      const requestId = crypto.randomUUID();
      const detail = 'This deployment is not configured. The log of the Worker says what is missing.';
      const body = problemBody({ code: 'internal_error', detail }, new URL(request.url).origin, requestId);
      const headers = { 'Content-Type': 'application/problem+json', 'X-Request-Id': requestId };
      return Response.json(body, { status: body.status, headers });
    }
  },

  /** What the queue held for the database, and what the platform gave up delivering. */
  async queue(batch: { queue: string; messages: readonly Delivered[] }, env: unknown): Promise<void> {
    let configured: Isolate;
    try {
      configured = isolateFor(env);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      console.error(JSON.stringify({ event: 'not_configured', detail: error.message }));
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

  /** Hourly. What it throws, the platform counts as a failed run. */
  async scheduled(_controller: unknown, env: unknown): Promise<void> {
    const summary = await runRetention(isolateFor(env).sql, 'cron');
    console.log(JSON.stringify({ event: 'retention_run', ...summary }));
  },
};
