import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DAY, partitionsFor, storeAged } from '../support/aged.ts';
import { clientOf } from '../support/client.ts';
import { deploy, type Deployment } from '../support/deployment.ts';

const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let deployment: Deployment;
let key: string;
beforeAll(async () => {
  deployment = await deploy();
  key = await deployment.key();
});
afterAll(() => deployment.close());
afterEach(() => {
  deployment.database.endpoint.intercept = undefined;
});

const operator = () => clientOf(deployment, deployment.operatorKey);
const ROUTES = [
  ['GET', '/v1/retention'],
  ['POST', '/v1/retention/run'],
] as const;

/** A day that is past its time, with an address in it. @returns its partition */
async function anExpiredDay(age: number): Promise<string> {
  const at = Date.now() - age * DAY;
  await storeAged(deployment.database, '203.0.113.91', { at });
  const [name] = await partitionsFor(deployment.database, at, ['event_ips']);
  return String(name);
}

const runs = () =>
  deployment.database.owner.query(
    'SELECT id, trigger, steps FROM audit.retention_runs ORDER BY started_at DESC',
  );
const due = () => deployment.database.owner.query('SELECT FROM audit.retention_due');
const deedsOf = (action: string) =>
  deployment.database.owner.query(
    `SELECT id FROM audit.events WHERE workspace_id = 'daybook' AND action = $1`,
    [action],
  );

describe('GET /v1/retention', () => {
  it('tells the policy, what is due, what goes next, how far partitions reach, and the last runs', async () => {
    const partition = await anExpiredDay(92);
    const { status, body } = await operator().get('/v1/retention');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      policy: { ip_retention_hours: 2160, event_retention_months: 24, months_ahead: 3, days_ahead: 35 },
      due: [{ task: 'detach', partition, due_at: expect.stringMatching(UTC) }],
      ahead: { events: expect.stringMatching(UTC), event_ips: expect.stringMatching(UTC) },
    });
    expect(body.upcoming.length).toBeGreaterThan(8);
    const times = body.upcoming.map((entry: { drops_at: string }) => entry.drops_at);
    expect(times).toEqual(times.toSorted());
    for (const entry of body.upcoming) {
      expect(entry).toEqual({
        partition: expect.stringMatching(/^(events|event_targets|event_ips)_p\d+$/),
        from: expect.stringMatching(UTC),
        to: expect.stringMatching(UTC),
        drops_at: expect.stringMatching(UTC),
      });
    }
    const day = body.upcoming.find((entry: { partition: string }) =>
      entry.partition.startsWith('event_ips_'),
    );
    expect(Date.parse(day.drops_at) - Date.parse(day.to)).toBe(90 * DAY);
  });

  it('says so when something is overdue', async () => {
    await operator().post('/v1/retention/run', undefined);
    expect((await operator().get('/v1/retention')).body.overdue).toBe(false);
    await anExpiredDay(95);
    expect((await operator().get('/v1/retention')).body.overdue).toBe(true);
    await operator().post('/v1/retention/run', undefined);
  });
});

describe('POST /v1/retention/run', () => {
  it('does what is due, answers what it did, and shows up as the last run', async () => {
    const partition = await anExpiredDay(91);
    const steps = [
      { task: 'detach', partition },
      { task: 'drop', partition },
    ];
    const { status, body } = await operator().post('/v1/retention/run', undefined);
    expect(status).toBe(200);
    expect(body).toEqual({ run_id: expect.any(String), steps, postponed: [] });
    expect(await due()).toEqual([]);

    const [last] = (await operator().get('/v1/retention')).body.runs;
    expect(last).toEqual({
      id: body.run_id,
      trigger: 'operator',
      started_at: expect.stringMatching(UTC),
      finished_at: expect.stringMatching(UTC),
      interrupted: false,
      steps,
      postponed: [],
      reported_at: expect.stringMatching(UTC),
    });
  });

  it('is told of in workspace daybook, by the run and by the use of the key', async () => {
    await anExpiredDay(91);
    const before = await deedsOf('operator.retention_run');
    const { body } = await operator().post('/v1/retention/run', undefined);
    expect(await deedsOf('retention.enforced')).toContainEqual({ id: body.run_id });
    await expect.poll(() => deedsOf('operator.retention_run')).toHaveLength(before.length + 1);
  });

  it('may run several times at once', async () => {
    const partitions = [await anExpiredDay(93), await anExpiredDay(94), await anExpiredDay(96)];
    const answers = await Promise.all([1, 2, 3].map(() => operator().post('/v1/retention/run', undefined)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await operator().post('/v1/retention/run', undefined);
    expect(await due()).toEqual([]);
    const noted = (await runs()).flatMap(({ steps }) => steps as { task: string; partition: string }[]);
    for (const partition of partitions) {
      const tasks = noted.filter((step) => step.partition === partition).map(({ task }) => task);
      expect(tasks.toSorted()).toEqual(['detach', 'drop']);
    }
  });
});

describe.each(ROUTES)('%s %s', (method, path) => {
  it('answers 401 without a key and to a false one, and does nothing', async () => {
    const before = await runs();
    const without = await clientOf(deployment, undefined).send(method, path);
    expect(without).toMatchObject({ status: 401, body: { code: 'missing_key' } });
    const falsely = await clientOf(deployment, `dbo_${'A'.repeat(43)}`).send(method, path);
    expect(falsely).toMatchObject({ status: 401, body: { code: 'invalid_key' } });
    expect(await runs()).toEqual(before);
  });

  it('answers 403 to an API key, and does nothing', async () => {
    const before = await runs();
    const { status, body } = await clientOf(deployment, key).send(method, path);
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'insufficient_scope' });
    expect(await runs()).toEqual(before);
  });

  it('answers 503 while the database is down, and gives nothing of its error away', async () => {
    deployment.database.endpoint.intercept = () => ({ kind: 'unavailable', message: 'SECRET detail' });
    const { status, headers, body } = await operator().send(method, path);
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'unavailable' });
    expect(headers.get('Retry-After')).toMatch(/^\d+$/);
    expect(JSON.stringify(body)).not.toMatch(/SECRET|select|audit\./i);
  });
});

describe('the hourly cron', () => {
  const cron = () =>
    deployment.harness.getWorker().scheduled({ cron: '17 * * * *', scheduledTime: new Date() });

  it('enforces retention', async () => {
    const partition = await anExpiredDay(91);
    expect(await cron()).toMatchObject({ outcome: 'ok' });
    expect(await due()).toEqual([]);
    const [last] = await runs();
    expect(last).toMatchObject({ trigger: 'cron', steps: [{ partition }, { partition }] });
    expect(await deedsOf('retention.enforced')).toContainEqual({ id: last?.['id'] });
  });

  it('is all that asks the database, in a deployment that nobody writes to', async () => {
    const queries: string[] = [];
    deployment.database.endpoint.intercept = ({ statements }) =>
      void queries.push(...statements.map(({ query }) => query));
    const nobody = clientOf(deployment, undefined);
    const paths = [
      '/healthz',
      '/problems/not_found',
      '/nothing',
      '/v1/events',
      '/v1/dead-letters',
      '/metrics',
    ];
    for (const path of paths) await nobody.get(path);
    expect((await clientOf(deployment, `dbk_${'A'.repeat(120)}`).post('/v1/events', {})).status).toBe(401);
    expect(queries).toEqual([]);
    expect(await cron()).toMatchObject({ outcome: 'ok' });
    expect(queries.filter((query) => !/retention|statement_timeout/.test(query))).toEqual([]);
    expect(queries.length).toBeLessThanOrEqual(5);
  });

  it('fails for the platform to see when the database is down, and catches up at the next hour', async () => {
    const partition = await anExpiredDay(91);
    deployment.database.endpoint.intercept = () => ({ kind: 'refuse' });
    expect(await cron()).toMatchObject({ outcome: 'exception' });
    deployment.database.endpoint.intercept = undefined;
    expect(await cron()).toMatchObject({ outcome: 'ok' });
    expect((await runs())[0]).toMatchObject({ steps: [{ partition }, { partition }] });
  });

  it('is set to every hour in wrangler.toml', async () => {
    expect(await readFile(new URL('../../wrangler.toml', import.meta.url), 'utf8')).toMatch(
      /crons = \["\d+ \* \* \* \*"/,
    );
  });
});
