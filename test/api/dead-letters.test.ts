import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { joinRows } from '../../src/db/append.ts';
import { anEvent, clientOf, type Answer, type Client } from '../support/client.ts';
import { deploy, type Deployment } from '../support/deployment.ts';
import { prepared } from '../support/rows.ts';
import { countEvents, storedEvent } from '../support/stored.ts';

const PATH = '/v1/dead-letters';

let deployment: Deployment;
let client: Client;
let operator: Client;

beforeAll(async () => {
  deployment = await deploy();
  client = clientOf(deployment, await deployment.key());
  operator = clientOf(deployment, deployment.operatorKey);
  // Stands for any rule that the Worker does not know of.
  await deployment.database.owner.query(
    `ALTER TABLE audit.events ADD CONSTRAINT no_poison CHECK (action <> 'poison.sent') NOT VALID`,
  );
});
beforeEach(() => deployment.database.owner.query('DELETE FROM audit.dead_letters'));
afterAll(() => deployment.close());

const poison = (fields: Record<string, unknown> = {}) => anEvent({ action: 'poison.sent', ...fields });

/** The letters there are, once there are so many. */
async function letters(count: number): Promise<Answer['body']> {
  return vi.waitFor(
    async () => {
      const { body } = await operator.get(PATH);
      expect(body.data).toHaveLength(count);
      return body.data;
    },
    { timeout: 10_000 },
  );
}

/** The statuses of the retries that a workspace knows of. */
async function deedsIn(workspace: string): Promise<unknown[]> {
  const { body } = await operator.get(
    `/v1/events?workspace_id=${workspace}&action=operator.dead_letter_retried`,
  );
  return body.data.map(({ metadata }: { metadata: { status: number } }) => metadata.status);
}

const FULL = {
  occurred_at: '2026-01-02T03:04:05.678Z',
  actor: { type: 'user', id: 'u_1', name: 'Ada', on_behalf_of: { type: 'agent', id: 'a_1' } },
  target: { type: 'invoice', id: 'i_1', name: 'Invoice' },
  related_targets: [{ type: 'team', id: 't_1', name: 'Blue' }, { type: 'org' }],
  outcome: 'failure',
  reason: 'no "reason"',
  old_value: { a: [1, null] },
  new_value: false,
  context: { ip_address: '203.0.113.7', user_agent: 'curl', request_id: 'r_1', session_id: 's_1' },
  metadata: { amount: 1.5, note: 'x' },
  source_id: 'old_1',
};

describe('an event that the database refuses', () => {
  test.each(['accepted', 'queued', 'committed'])(
    'is isolated from its batch of 1,000 and kept with its reason (%s)',
    async (ack) => {
      const before = await countEvents(deployment, 'acme');
      const events = Array.from({ length: 1000 }, (_, index) => (index === 567 ? poison() : anEvent()));
      const answer = await client.post(`/v1/events/batch?ack=${ack}`, { events });
      expect(answer.status).toBe(ack === 'committed' ? 207 : 202);
      const [letter] = await letters(1);
      expect(letter).toMatchObject({
        reason: 'refused',
        detail: 'The database refuses the event. It breaks the constraint no_poison.',
        sqlstate: '23514',
        workspace_id: 'acme',
        event_id: events[567]?.id,
        raw: null,
      });
      await vi.waitFor(async () => expect(await countEvents(deployment, 'acme')).toBe(before + 999), 10_000);
    },
  );

  test('is shown as it was sent', async () => {
    const event = poison(FULL);
    await client.post('/v1/events', event);
    const [letter] = await letters(1);
    expect(letter.key_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(letter.event).toEqual({ ...event, workspace_id: 'acme', version: 1 });
    expect(letter.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('of an atomic batch is told to the client, and not kept: nothing of the batch is', async () => {
    const answer = await client.post('/v1/events/batch?atomic=true', { events: [anEvent(), poison()] });
    expect([answer.status, answer.body.code]).toEqual([422, 'refused_event']);
    await letters(0);
  });

  test('loses its address when addresses of its age are forgotten', async () => {
    await client.post('/v1/events', poison(FULL));
    const [{ id }] = await letters(1);
    await deployment.database.owner.query(
      `UPDATE audit.dead_letter_addresses SET created_at = now() - interval '2160 hours' WHERE letter_id = $1`,
      [id],
    );
    const [letter] = await letters(1);
    expect(letter.event.context).toEqual({ ...FULL.context, ip_address: '[anonymized]' });
  });
});

describe("a trigger of the team's", () => {
  const raise = (how: string) =>
    deployment.database.superuser.query(
      `CREATE OR REPLACE FUNCTION public.object() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN IF NEW.source_id = 'objectionable' THEN ${how}; END IF; RETURN NEW; END $$`,
    );
  beforeAll(async () => {
    await raise('NULL');
    await deployment.database.superuser.query(
      'CREATE TRIGGER object BEFORE INSERT ON audit.events FOR EACH ROW EXECUTE FUNCTION public.object()',
    );
  });
  afterAll(() => deployment.database.superuser.query('DROP TRIGGER object ON audit.events'));

  test.each([
    ['P0001', `RAISE 'Not on a Sunday.'`],
    ['P0002', `RAISE no_data_found USING MESSAGE = 'Not on a Sunday.'`],
    ['U0001', `RAISE 'Not on a Sunday.' USING ERRCODE = 'U0001'`],
    // Without a constraint's name, as when a partition is missing.
    ['23514', `RAISE check_violation USING MESSAGE = 'Not on a Sunday.'`],
  ])('refuses its event alone, in its own words (%s)', async (sqlstate, how) => {
    await raise(how);
    const before = await countEvents(deployment, 'acme');
    const events = Array.from({ length: 10 }, () => anEvent());
    const bad = anEvent({ source_id: 'objectionable' });
    await client.post('/v1/events/batch?ack=queued', { events: [...events, bad] });
    const [letter] = await letters(1);
    const detail = 'The database refuses the event. Not on a Sunday.';
    expect(letter).toMatchObject({ reason: 'refused', sqlstate, detail, event_id: bad.id });
    expect(await countEvents(deployment, 'acme')).toBe(before + 10);
    const one = await client.post('/v1/events?ack=committed', { ...bad, id: anEvent().id });
    expect([one.status, one.body.code]).toEqual([422, 'refused_event']);
  });

  test('that speaks as we do of an atomic batch refuses that batch, and holds up no other', async () => {
    await raise(`RAISE unique_violation USING DETAIL = 'order 5 was refunded before'`);
    const events = [anEvent(), anEvent({ source_id: 'objectionable' })];
    const answer = await client.post('/v1/events/batch?atomic=true', { events });
    expect([answer.status, answer.body.code]).toEqual([422, 'refused_event']);
    expect((await client.post('/v1/events?ack=committed', anEvent())).status).toBe(201);
  });
});

describe('another content under a stored id, found after a 202,', () => {
  test.each(['accepted', 'queued'])('is kept, and the stored event stays (%s)', async (ack) => {
    const event = anEvent();
    await client.post('/v1/events?ack=committed', event);
    const other = await client.post(`/v1/events?ack=${ack}`, { ...event, reason: 'another' });
    expect(other.status).toBe(202);
    const [letter] = await letters(1);
    expect(letter).toMatchObject({
      reason: 'conflict',
      event_id: event.id,
      event: { reason: 'another' },
      sqlstate: null,
    });
    expect(await storedEvent(deployment, 'acme', event.id)).toMatchObject({ reason: null });
    const retried = await operator.send('POST', `${PATH}/${letter.id}/retry`);
    expect([retried.status, retried.body.code]).toEqual([409, 'conflict']);
    await vi.waitFor(async () => expect(await deedsIn('acme')).toContain(409));
    // The same once more is the same letter.
    await client.post(`/v1/events?ack=${ack}`, { ...event, reason: 'another' });
    await client.post(`/v1/events?ack=${ack}`, { ...event, reason: 'a third' });
    await letters(2);
  });
});

describe("what the platform's own dead-letter queue holds", () => {
  test('is kept, but for what was stored all the same', async () => {
    const [lost, kept] = [prepared(FULL), prepared()];
    await deployment.database.app.query('SELECT audit.append_rows(audit.rows_of($1))', [kept.row]);
    const worker = await deployment.harness.getWorker().getExport();
    const body = `daybook rows 1 tries 0\n${joinRows([lost.row, kept.row])}`;
    const dispatch = worker as unknown as {
      queue(name: string, messages: unknown[]): Promise<{ outcome: string; explicitAcks: string[] }>;
    };
    const result = await dispatch.queue('daybook-dead', [
      { id: 'm1', timestamp: new Date(), attempts: 1, body },
    ]);
    expect(result).toMatchObject({ outcome: 'ok', explicitAcks: ['m1'] });
    const [letter] = await letters(1);
    expect(letter).toMatchObject({ reason: 'undeliverable', event_id: lost.id });
    const retried = await operator.send('POST', `${PATH}/${letter.id}/retry`);
    expect(retried.body).toMatchObject({ result: 'committed', event_id: lost.id });
    expect(await storedEvent(deployment, 'acme', lost.id)).toMatchObject({ ip_address: '203.0.113.7' });
  });
});

describe('POST /v1/dead-letters/{id}/retry', () => {
  test('stores the event once the reason is gone, as it was sent, and removes the letter', async () => {
    const event = poison(FULL);
    await client.post('/v1/events', event);
    const [{ id }] = await letters(1);
    const still = await operator.send('POST', `${PATH}/${id}/retry`);
    expect([still.status, still.body.code]).toEqual([422, 'refused_event']);
    expect(still.body.detail).toContain('no_poison');
    await letters(1);

    const { owner } = deployment.database;
    await owner.query('ALTER TABLE audit.events DROP CONSTRAINT no_poison');
    const retried = await operator.send('POST', `${PATH}/${id}/retry`);
    expect(retried.status).toBe(200);
    const stored = await storedEvent(deployment, 'acme', event.id);
    expect(retried.body).toEqual({
      id,
      workspace_id: 'acme',
      event_id: event.id,
      created_at: expect.stringMatching(/Z$/),
      result: 'committed',
      leaf_hash: stored?.['leaf_hash'],
    });
    expect(stored).toMatchObject({ pending: 1, ip_address: '203.0.113.7', metadata: FULL.metadata });
    // By value the stored event is the one that was sent.
    expect((await client.post('/v1/events?ack=committed', event)).body.result).toBe('duplicate');
    await owner.query(
      `ALTER TABLE audit.events ADD CONSTRAINT no_poison CHECK (action <> 'poison.sent') NOT VALID`,
    );
    await letters(0);
    expect((await operator.send('POST', `${PATH}/${id}/retry`)).status).toBe(404);
    await vi.waitFor(async () => expect(await deedsIn('acme')).toContain(200));
  });

  test.each(['nonsense', '01890000-0000-7000-8000-000000000000'])('of no letter (%s) is 404', async (id) => {
    const answer = await operator.send('POST', `${PATH}/${id}/retry`);
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  });
});

describe('GET /v1/dead-letters', () => {
  test('shows what is no event after all as it is, beside the others', async () => {
    await client.post('/v1/events?ack=committed', poison());
    await deployment.database.owner.query(
      `INSERT INTO audit.dead_letters (id, reason, detail, event_created_at, event)
       VALUES ('01890000-0000-7000-8000-000000000001', 'undeliverable', 'odd', 'infinity', '{"related_targets": {"a": 1}}')`,
    );
    const [, odd] = await letters(2);
    expect(odd).toMatchObject({ reason: 'undeliverable', detail: 'odd', event: null });
    expect(Buffer.from(odd.raw, 'base64').toString()).toContain('"related_targets"');
    const retried = await operator.send('POST', `${PATH}/${odd.id}/retry`);
    expect([retried.status, retried.body.code]).toEqual([422, 'refused_event']);
  });

  test('lists page by page, newest first, of all workspaces or one', async () => {
    const globex = clientOf(deployment, await deployment.key({ workspaces: ['globex'] }));
    const events = Array.from({ length: 5 }, () => poison());
    for (const [index, event] of events.entries()) {
      await (index === 2 ? globex : client).post('/v1/events?ack=committed', event);
    }
    const seen: string[] = [];
    let path: string | undefined = `${PATH}?limit=2`;
    while (path !== undefined) {
      const { body, headers }: Answer = await operator.get(path);
      seen.push(...body.data.map((letter: { event_id: string }) => letter.event_id));
      path = /<([^>]+)>; rel="next"/.exec(headers.get('Link') ?? '')?.[1];
      expect(body.has_more).toBe(path !== undefined);
    }
    expect(seen).toEqual(events.map(({ id }) => id).toReversed());
    const { body } = await operator.get(`${PATH}?workspace_id=globex`);
    expect(body.data).toMatchObject([{ workspace_id: 'globex', event_id: events[2]?.id }]);
    expect(body).toMatchObject({ has_more: false, next_cursor: null });
  });

  test.each(['?limit=0', '?limit=201', '?limit=x', '?cursor=x', '?workspace_id=', '?ack=queued'])(
    'with %s is 400',
    async (query) => {
      expect((await operator.get(`${PATH}${query}`)).status).toBe(400);
    },
  );

  test.each([
    ['no key', () => clientOf(deployment, undefined), 401],
    ['an API key', () => client, 403],
  ])('is for the operator: with %s nothing is shown or retried', async (_, who, status) => {
    expect((await who().get(PATH)).status).toBe(status);
    expect((await who().send('POST', `${PATH}/01890000-0000-7000-8000-000000000000/retry`)).status).toBe(
      status,
    );
  });

  test('with the database down is 503, without a word of it', async () => {
    deployment.database.endpoint.intercept = ({ statements }) =>
      statements.some(({ query }) => query.includes('dead_letter'))
        ? { kind: 'unavailable', message: 'telltale' }
        : undefined;
    for (const answer of [
      await operator.get(PATH),
      await operator.send('POST', `${PATH}/01890000-0000-7000-8000-000000000000/retry`),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
      expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
      expect(JSON.stringify(answer.body)).not.toContain('telltale');
    }
    deployment.database.endpoint.intercept = undefined;
  });
});
