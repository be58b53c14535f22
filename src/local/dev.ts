import { openDatabase } from './dev-database.ts';
import { prepareDeployment } from './dev-deployment.ts';
import { startEndpoint, CannotListen, type Endpoint } from './endpoint.ts';
import { startWorker, type RunningWorker } from './dev-worker.ts';

/** `npm run dev`: database, migrations, a workspace, a key and the Worker, until Ctrl-C. */

const WORKER_PORT = Number(process.env['PORT'] ?? 8787);
const DATABASE_PORT = Number(process.env['DAYBOOK_DATABASE_PORT'] ?? 8786);
const closers: (() => Promise<void>)[] = [];
let stopping = false;

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  for (const close of closers.toReversed()) await close();
  process.exit(code);
}

process.once('SIGINT', () => void stop(0));
process.once('SIGTERM', () => void stop(0));
process.once('SIGHUP', () => void stop(0));

try {
  const database = await openDatabase(process.env['DATABASE_URL']);
  closers.push(() => database.engine.close());
  const endpoint: Endpoint = await startEndpoint({ engine: database.engine, port: DATABASE_PORT });
  closers.push(() => endpoint.close());
  const deployment = await prepareDeployment(await database.owner(endpoint.url.href), endpoint.url.href);
  const worker: RunningWorker = await startWorker({ port: WORKER_PORT, envFile: deployment.workerEnvFile });
  closers.push(() => worker.close());
  void worker.ended.then((code) => stop(code));
  console.log(banner(worker.url, deployment.apiKey, deployment.operatorKey, database.label));
} catch (error) {
  if (error instanceof CannotListen && error.code === 'EADDRINUSE') {
    console.error(
      `${error.message}. Stop what uses it, or choose another: PORT=… and DAYBOOK_DATABASE_PORT=… npm run dev`,
    );
  } else {
    console.error(error instanceof Error ? error.message : error);
  }
  await stop(1);
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
