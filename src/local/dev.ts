import { NeonDbError } from '@neondatabase/serverless';
import { databaseSays } from '../cli/database-failure.ts';
import { UsageError } from '../cli/usage-error.ts';
import { openDatabase } from './dev-database.ts';
import { prepareDeployment } from './dev-deployment.ts';
import { checkPortFree, startWorker } from './dev-worker.ts';
import { CannotListen, startEndpoint } from './endpoint.ts';

/** `npm run dev`: database, migrations, a workspace, a key and the Worker, until Ctrl-C. */

const closers: (() => Promise<void>)[] = [];
let stopping = false;

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  // What cannot be closed must not keep the rest open.
  for (const close of closers.toReversed()) await close().catch((error) => console.error(explain(error)));
  process.exit(code);
}

function interrupt(): void {
  // A database that is being made is made first: that takes seconds.
  if (!stopping) console.log('Stopping.');
  void stop(0);
}

// Not `once`: a second Ctrl-C would end this process and leave what it started.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);

try {
  await start();
} catch (error) {
  // After an interrupt, whatever was under way fails.
  if (!stopping) console.error(explain(error));
  await stop(1);
}

async function start(): Promise<void> {
  const workerPort = portOf('PORT', 8787);
  const databasePort = portOf('DAYBOOK_DATABASE_PORT', 8786);
  const opening = openDatabase(process.env['DATABASE_URL'] || undefined);
  const { engine, ...database } = await closedAtStop(opening, ({ engine }) => engine.close());
  if (database.notice !== undefined) console.log(database.notice);
  const endpoint = await closedAtStop(startEndpoint({ engine, port: databasePort }), (it) => it.close());
  const { href } = endpoint.url;
  const deployment = await prepareDeployment(await database.owner(href), href);
  await checkPortFree(workerPort);
  goOnUnlessStopping();
  const worker = startWorker({ port: workerPort, envFile: deployment.workerEnvFile });
  closers.push(() => worker.close());
  await worker.ready;
  goOnUnlessStopping();
  void worker.ended.then((code) => stop(code));
  console.log(banner(worker.url, deployment.apiKey, deployment.operatorKey, database.label));
}

/** Is registered before it is there: an interrupt meanwhile waits for it and closes it. */
async function closedAtStop<T>(starting: Promise<T>, close: (started: T) => Promise<void>): Promise<T> {
  closers.push(() => starting.then(close, () => undefined));
  const started = await starting;
  goOnUnlessStopping();
  return started;
}

function goOnUnlessStopping(): void {
  if (stopping) throw new Error('interrupted');
}

/** @throws UsageError */
function portOf(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return otherwise;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new UsageError(`${name} is "${text}" and must be a port: 1 to 65535.`);
  return port;
}

function explain(error: unknown): string {
  if (error instanceof CannotListen && error.code === 'EADDRINUSE') {
    return `${error.message}. Stop what uses it, or choose another: PORT=… and DAYBOOK_DATABASE_PORT=… npm run dev`;
  }
  if (error instanceof NeonDbError) return databaseSays(error);
  return error instanceof Error ? error.message : String(error);
}

function banner(url: string, apiKey: string, operatorKey: string, database: string): string {
  return `
  Daybook   ${url}
  database  ${database}
  workspace demo
  API key   ${apiKey}
  operator  ${operatorKey}

Write an event, then read it:

curl -s '${url}/v1/events' -H 'Authorization: Bearer ${apiKey}' -H 'Content-Type: application/json' -d '{"action":"user.logged_in","actor":{"type":"user","id":"u_1","name":"Ada"},"target":{"type":"session"},"context":{"ip_address":"203.0.113.7"}}'

curl -s '${url}/v1/events' -H 'Authorization: Bearer ${apiKey}'

Ctrl-C stops everything. Data stays under .daybook/.
`;
}
