import { neonConfig } from '@neondatabase/serverless';
import { anEvent, clientOf } from './client.ts';
import { deploy, type Deployment } from './deployment.ts';

/** The runner evaluates this module anew for each file; what is global stays. */
const testProcess: typeof globalThis & { idleDeployment?: Deployment | undefined } = globalThis;

/** What a new database has none of; the service's settings and its partitions stay. */
const EMPTY = `
  ALTER TABLE audit.events DISABLE TRIGGER events_refuse_change;
  DELETE FROM audit.events;
  ALTER TABLE audit.events ENABLE ALWAYS TRIGGER events_refuse_change;
  DELETE FROM audit.event_ips;
  DELETE FROM audit.event_targets;
  DELETE FROM audit.log_pending;
  DELETE FROM audit.idempotency_keys;
  DELETE FROM audit.dead_letter_addresses;
  DELETE FROM audit.dead_letters;
  DELETE FROM audit.retention_runs;
  DELETE FROM audit.api_keys;
  DELETE FROM audit.workspace_terms;
  DELETE FROM audit.workspaces`;

/**
 * A deployment that test files of one process use one after another: starting one takes two seconds of two
 * cores. Its tables are emptied between them, and it ends with the process. For tests that neither break it nor change
 * its schema.
 */
export async function sharedDeployment(): Promise<Deployment> {
  const deployment = testProcess.idleDeployment ?? (await deploy());
  testProcess.idleDeployment = undefined;
  // Global to the driver: the file before may have had a database of its own.
  neonConfig.fetchEndpoint = deployment.database.endpoint.url.href;
  return { ...deployment, close: () => giveBack(deployment) };
}

async function giveBack(deployment: Deployment): Promise<void> {
  const { endpoint, superuser } = deployment.database;
  endpoint.intercept = undefined;
  endpoint.delayMs = 0;
  // Goes after whatever the Worker has accepted and not yet stored.
  const last = await clientOf(deployment, await deployment.key()).post('/v1/events?ack=committed', anEvent());
  if (last.status !== 201)
    throw new Error(`a shared deployment was left in no state to go on: ${last.status}`);
  await superuser.query(`DO $$ BEGIN ${EMPTY}; END $$`);
  deployment.harness.clearLogs();
  testProcess.idleDeployment = deployment;
}
