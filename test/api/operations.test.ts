import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeId } from '../../src/events/id.ts';
import { anEvent, clientOf, type Answer, type Client } from '../support/client.ts';
import { deploy, type Deployment } from '../support/deployment.ts';

const COMMITTED = '/v1/events?ack=committed';

let deployment: Deployment;
let client: Client;
let nobody: Client;
let operator: Client;

beforeAll(async () => {
  deployment = await deploy();
  client = clientOf(deployment, await deployment.key({ workspaces: ['acme', 'globex'] }));
  nobody = clientOf(deployment, undefined);
  operator = clientOf(deployment, deployment.operatorKey);
});
afterEach(() => {
  deployment.database.endpoint.intercept = undefined;
});
afterAll(() => deployment.close());

/** Answers are kept for 3 s in an isolate: this starts another. */
const anotherIsolate = () => deployment.harness.update((options) => options);

/** Counts the calls of a database that goes on to answer, or to refuse. */
function countCalls(refuse = false): { calls: number } {
  const count = { calls: 0 };
  deployment.database.endpoint.intercept = ({ statements }) => {
    if (statements.some(({ query }) => query.includes('audit.readiness'))) count.calls += 1;
    return refuse ? { kind: 'refuse' } : undefined;
  };
  return count;
}

describe('GET /readyz', () => {
  test('answers 200 without a key, and asks the database once for all who ask', async () => {
    const count = countCalls();
    const answers = await Promise.all(Array.from({ length: 20 }, () => nobody.get('/readyz')));
    for (const { status, body } of [...answers, await nobody.get('/readyz')]) {
      const ok = { status: 'ok' };
      const checks = { database: ok, partitions: ok, retention: ok, queue: ok };
      expect([status, body]).toEqual([200, { status: 'ready', checks }]);
    }
    expect(count.calls).toBe(1);
    expect(await nobody.send('HEAD', '/readyz')).toMatchObject({ status: 200, body: '' });
  });

  test('answers 503 while the database is down, and gives nothing of its error away', async () => {
    await anotherIsolate();
    const count = countCalls(true);
    const [answer] = await Promise.all([nobody.get('/readyz'), nobody.get('/readyz')]);
    expect(answer).toMatchObject({ status: 503, body: { status: 'not_ready' } });
    expect(answer.headers.get('Retry-After')).toMatch(/^\d+$/);
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
    expect(answer.body.checks).toEqual({
      database: { status: 'failing', detail: 'It gives no usable answer.' },
      partitions: { status: 'failing', detail: 'Not known without the database.' },
      retention: { status: 'failing', detail: 'Not known without the database.' },
      queue: { status: 'ok' },
    });
    expect(count.calls).toBe(1);
  });

  test('answers 503 when a partition of the next 24 hours is missing', async () => {
    const { owner } = deployment.database;
    const [row] = await owner.query(`SELECT name, lower_bound::text AS "from", upper_bound::text AS "to"
      FROM audit.partition_at('event_ips', now() + interval '1 day')`);
    const { name, from, to } = row as { name: string; from: string; to: string };
    await owner.query(`ALTER TABLE audit.event_ips DETACH PARTITION audit.${name}`);
    await anotherIsolate();
    const answer = await nobody.get('/readyz');
    const told = await gauges();
    await owner.query(
      `ALTER TABLE audit.event_ips ATTACH PARTITION audit.${name} FOR VALUES FROM ('${from}') TO ('${to}')`,
    );
    expect(answer.status).toBe(503);
    expect(answer.body.checks).toEqual({
      database: { status: 'ok' },
      partitions: { status: 'failing', detail: 'event_ips has none in 24 hours.' },
      retention: { status: 'failing', detail: 'Something has been due for two hours.' },
      queue: { status: 'ok' },
    });
    expect(told).toMatchObject({ retention_overdue: 1 });
    expect(told['partitions_ahead_days{table="event_ips"}']).toBeLessThanOrEqual(1);
  });
});

/** The samples of `/metrics`, without `daybook_`. */
async function gauges(): Promise<Record<string, number>> {
  const { body } = await operator.get('/metrics');
  const lines = String(body)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.replace(/^daybook_| [^ ]*$/g, ''), Number(line.replace(/.* /, ''))]),
  );
}

/** Stores events of a time and of so many workspaces, which the database took in 500 seconds ago. */
const storeReceivedLongAgo = (at: number, workspaces: number) =>
  deployment.database.owner.query(
    `WITH made AS (
       INSERT INTO audit.events (workspace_id, id, created_at, received_at, occurred_at, action, actor_type, target_type, size, leaf_hash)
       SELECT 'w' || n, $1::uuid, audit.id_time($1), now() - interval '500 s', now(), 'a.b', 'anonymous', 'c', 9, sha256('')
       FROM generate_series(1, $2::int) n RETURNING workspace_id, id, created_at, leaf_hash)
     INSERT INTO audit.log_pending SELECT * FROM made`,
    [makeId(at), workspaces],
  );

describe('GET /metrics', () => {
  test('tells the operator every gauge, with its help and type', async () => {
    const { status, headers, body } = await operator.get('/metrics');
    expect([status, headers.get('Content-Type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const names = new Set([...String(body).matchAll(/^(daybook_[a-z_]+)[{ ]/gm)].map(([, name]) => name));
    for (const name of names) {
      expect(body).toMatch(new RegExp(`^# HELP ${name} .+\\n# TYPE ${name} gauge\\n${name}[{ ]`, 'm'));
    }
    expect(Object.keys(await gauges()).toSorted()).toEqual(
      [
        'database_up',
        'events_last_minute',
        'events_last_minute_partial',
        'dead_letters',
        'oldest_unsealed_seconds',
        'unsealed_events_estimate',
        'retention_overdue',
        ...['partitions_ahead_days', 'table_bytes_estimate'].flatMap((name) =>
          ['events', 'event_ips', 'event_targets'].map((table) => `${name}{table="${table}"}`),
        ),
        'queue_up',
        'queue_backlog_messages',
        'queue_backlog_bytes',
        'queue_oldest_message_seconds',
      ].toSorted(),
    );
  });

  test('counts the events of the last minute over all workspaces, and what waits to be sealed', async () => {
    const before = await gauges();
    expect(before).toMatchObject({ database_up: 1, oldest_unsealed_seconds: 0, unsealed_events_estimate: 0 });
    await storeReceivedLongAgo(Date.now() - 70_000, 1);
    for (const workspace_id of ['acme', 'acme', 'globex']) {
      expect((await client.post(COMMITTED, anEvent({ workspace_id }))).status).toBe(201);
    }
    const after = await gauges();
    expect(after).toMatchObject({
      events_last_minute: 3,
      events_last_minute_partial: 0,
      unsealed_events_estimate: 4,
    });
    expect(after['oldest_unsealed_seconds']).toBeGreaterThanOrEqual(500);
    expect(after['oldest_unsealed_seconds']).toBeLessThan(600);
  });

  test('says so when there are too many workspaces to count', async () => {
    await storeReceivedLongAgo(Date.now() - 30_000, 2000);
    const { events_last_minute, events_last_minute_partial } = await gauges();
    expect(events_last_minute_partial).toBe(1);
    expect(events_last_minute).toBeGreaterThanOrEqual(1990);
  });

  test('tells how far partitions reach and when retention last ran to its end', async () => {
    const { owner } = deployment.database;
    const run = (id: string, age: string, interrupted: boolean) =>
      owner.query(
        `INSERT INTO audit.retention_runs (id, trigger, started_at, finished_at, interrupted)
         VALUES ($1, 'cron', now() - $2::interval, now() - $2::interval, $3)`,
        [id, age, interrupted],
      );
    await run(makeId(Date.now()), '500 s', false);
    await run(makeId(Date.now()), '5 s', true);
    const told = await gauges();
    expect(told['retention_last_run_seconds']).toBeGreaterThanOrEqual(500);
    expect(told['retention_last_run_seconds']).toBeLessThan(600);
    expect(told['partitions_ahead_days{table="events"}']).toBeGreaterThan(88);
    expect(told['partitions_ahead_days{table="event_ips"}']).toBeGreaterThan(34);
    expect(told).toMatchObject({ retention_overdue: 0 });
  });

  test('still answers while the database is down, with what it knows of the queue', async () => {
    deployment.database.endpoint.intercept = () => ({ kind: 'unavailable', message: 'SECRET detail' });
    const { status, body } = await operator.get('/metrics');
    expect(status).toBe(200);
    expect(body).not.toContain('SECRET');
    expect(await gauges()).toEqual({
      database_up: 0,
      queue_up: 1,
      queue_backlog_messages: 0,
      queue_backlog_bytes: 0,
      queue_oldest_message_seconds: 0,
    });
  });

  test('is for the operator alone', async () => {
    const count = countCalls();
    expect(await nobody.get('/metrics')).toMatchObject({ status: 401, body: { code: 'missing_key' } });
    const forged = clientOf(deployment, `dbo_${'A'.repeat(43)}`);
    expect(await forged.get('/metrics')).toMatchObject({ status: 401, body: { code: 'invalid_key' } });
    expect(await client.get('/metrics')).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    expect(count.calls).toBe(0);
  });

  test('is no audit event', async () => {
    const deeds = () =>
      deployment.database.owner.query(
        `SELECT action FROM audit.events WHERE workspace_id = 'daybook' AND action LIKE 'operator.%' ORDER BY id`,
      );
    const before = await deeds();
    await operator.get('/metrics');
    await operator.get('/v1/retention');
    await expect.poll(deeds).toEqual([...before, { action: 'operator.retention_viewed' }]);
  });
});

describe('the log', () => {
  /** Lines of the Worker about requests. */
  const lines = (): Record<string, unknown>[] =>
    deployment.harness
      .getLogs()
      .map(({ message }) => JSON.parse(message))
      .filter(({ event }) => event === 'request');

  async function lineOf({ headers }: Answer): Promise<Record<string, unknown> | undefined> {
    const find = () => lines().filter(({ request_id }) => request_id === headers.get('X-Request-Id'));
    await expect.poll(find).toHaveLength(1);
    return find()[0];
  }

  test('has one line for each request', async () => {
    const ms = expect.any(Number);
    const own = { 'X-Request-Id': 'req-42_a=' };
    const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(await lineOf(await client.post(COMMITTED, anEvent({ workspace_id: 'acme' }), own))).toEqual({
      event: 'request',
      request_id: 'req-42_a=',
      method: 'POST',
      route: '/v1/events',
      status: 201,
      ms,
      key_id: uuid,
      ack: 'committed',
    });
    expect(await lineOf(await operator.get(`/v1/events/${anEvent().id}?workspace_id=acme`))).toEqual({
      event: 'request',
      request_id: uuid,
      method: 'GET',
      route: '/v1/events/:id',
      status: 404,
      ms,
      operator: true,
      problem: 'not_found',
    });
    const nowhere = { event: 'request', request_id: uuid, ms };
    expect(await lineOf(await nobody.get('/v1/nothing'))).toEqual({
      ...nowhere,
      method: 'GET',
      status: 404,
      problem: 'not_found',
    });
    expect(await lineOf(await nobody.send('OPTIONS', '/v1/events'))).toEqual({
      ...nowhere,
      method: 'OPTIONS',
      status: 204,
    });
  });

  test('holds nothing that a sender wrote, whatever became of the request', async () => {
    const C = 'Canary7';
    const address = '203.0.113.77';
    const headers = {
      'X-Request-Id': `${C}@example.com`,
      'User-Agent': C,
      'CF-Connecting-IP': address,
      'X-Forwarded-For': address,
      Referer: `https://${C}.example/`,
      Cookie: `${C}=${C}`,
      [C]: C,
    };
    const key = await deployment.key({ name: C, workspaces: [C] });
    const known = clientOf(deployment, key);
    const event = {
      ...anEvent({
        actor: {
          type: 'user',
          id: C,
          name: C,
          email: `${C}@example.com`,
          on_behalf_of: { type: 'user', id: C },
        },
      }),
      workspace_id: C,
      action: C,
      target: { type: C, id: C, name: C },
      related_targets: [{ type: C, id: C, name: C }],
      reason: C,
      old_value: { [C]: C },
      new_value: [C],
      context: { ip_address: address, user_agent: C, request_id: C, session_id: C },
      metadata: { [C]: C, password: C },
      source_id: C,
    };
    const fault = { message: C, detail: C, hint: C, where: C, severity: 'ERROR', code: '22P02' };
    const answers = [
      await known.post(COMMITTED, event, headers),
      await known.post(COMMITTED, { ...event, reason: `other ${C}` }, headers),
      await known.post('/v1/events/batch', { events: [event, { [C]: C }] }, headers),
      await known.post('/v1/events', `{"${C}": ${C}}`, headers),
      await known.post('/v1/events', { ...event, [C]: C, metadata: C }, headers),
      await known.post(`/v1/events?${C}=${C}`, event, headers),
      await known.post(`/v1/events?ack=${C}`, event, headers),
      await known.post('/v1/events', C, { ...headers, 'Content-Type': `text/${C}` }),
      await known.post('/v1/events', { ...event, workspace_id: `${C}2` }, headers),
      await known.get(`/v1/events?actor_id=${C}`, headers),
      await known.get(`/v1/events?cursor=${C}`, headers),
      await known.get(`/v1/events/${C}?workspace_id=${C}`, headers),
      await known.get(`/${C}/${C}`, headers),
      await known.send('DELETE', `/v1/events/${C}`, undefined, headers),
      await operator.get(`/v1/events?workspace_id=${C}&target_id=${C}`, headers),
      await nobody.get(`/problems/${C}`, headers),
      await nobody.get(`/healthz?${C}`, headers),
      await clientOf(deployment, C).get('/v1/events', headers),
      await clientOf(deployment, `dbk_${C}`).get('/v1/events', headers),
      await clientOf(deployment, `dbo_${C}`).get('/metrics', headers),
    ];
    deployment.database.endpoint.intercept = () => ({ kind: 'error-after-commit', error: fault });
    answers.push(
      await known.post(COMMITTED, { ...event, id: anEvent().id }, headers),
      await known.get('/v1/events', headers),
      await operator.get('/v1/retention', headers),
    );
    expect(answers.map(({ status }) => status)).toEqual([
      201, 409, 207, 400, 422, 400, 400, 415, 403, 200, 400, 404, 404, 405, 200, 404, 200, 401, 401, 401, 422,
      503, 503,
    ]);
    for (const answer of answers) expect(await lineOf(answer)).toMatchObject({ status: answer.status });
    const log = JSON.stringify(deployment.harness.getLogs());
    expect(log).not.toMatch(/canary7/i);
    expect(log).not.toContain(address);
    // What was refused has told of itself.
    expect(log).toContain('22P02');
  });
});
