import { Hono } from 'hono';
import { requestId } from 'hono/request-id';
import { describe, expect, test } from 'vitest';
import { collectEvents } from './testing.ts';
import { createAudit } from './create-audit.ts';
import { auditContext as expressContext } from './express.ts';
import { auditContext, type AuditVariables } from './hono.ts';
import { withAuditContext } from './next.ts';

const HEADERS = {
  'User-Agent': 'curl',
  'X-Request-Id': 'r1',
  'X-Forwarded-For': '203.0.113.66, 198.51.100.7',
};
const DEED = { action: 'project.created', target: { type: 'project', id: 'p1' } };

function setUp() {
  const { transport, events } = collectEvents();
  return {
    audit: createAudit({ url: 'https://daybook.test', apiKey: 'x', transport, flushOnExit: false }),
    events,
  };
}

describe('in a request', () => {
  test('of Hono, events know who acts and from where, as the deployment says', async () => {
    const { audit, events } = setUp();
    const app = new Hono<{ Variables: AuditVariables }>();
    app.use(
      auditContext(audit, { trustedProxies: 1, actor: (c) => ({ type: 'user', id: c.req.query('user') }) }),
    );
    app.post('/', (c) => {
      c.get('audit').log(DEED);
      return c.text('done');
    });
    expect((await app.request('/?user=u1', { method: 'POST', headers: HEADERS })).status).toBe(200);
    await audit.close();
    expect(events).toMatchObject([
      {
        ...DEED,
        actor: { type: 'user', id: 'u1' },
        context: { ip_address: '198.51.100.7', user_agent: 'curl', request_id: 'r1' },
      },
    ]);
  });

  test('of Express, the address is the one that Express trusts', async () => {
    const { audit, events } = setUp();
    const request = { ip: '192.0.2.1', get: (name: string) => new Headers(HEADERS).get(name) ?? undefined };
    let isPassedOn = false;
    const audited: typeof request & Partial<{ audit: typeof audit }> = request;
    expressContext(audit)(audited as never, undefined, () => {
      isPassedOn = true;
    });
    audited.audit?.log({ ...DEED, actor: { type: 'system' } });
    await audit.close();
    expect([isPassedOn, events.length]).toEqual([true, 1]);
    expect(events[0]?.context).toEqual({ ip_address: '192.0.2.1', user_agent: 'curl', request_id: 'r1' });
  });

  test('of a route handler, the logger is the second argument, and what it did is sent in time', async () => {
    const { audit, events } = setUp();
    const promises: Promise<unknown>[] = [];
    const wrap = withAuditContext(audit, { waitUntil: (promise) => void promises.push(promise) });
    const POST = wrap(async (request, ofRequest, { id }: { id: string }) => {
      ofRequest.log({ ...DEED, target: { type: 'project', id } });
      return new Response(request.url);
    });
    const answer = await POST(new Request('https://app.test/projects', { headers: HEADERS }), { id: 'p9' });
    expect(await answer.text()).toBe('https://app.test/projects');
    await Promise.all(promises);
    expect(events).toMatchObject([
      { actor: { type: 'anonymous' }, target: { id: 'p9' }, context: { request_id: 'r1' } },
    ]);
    // Nobody said which header to trust.
    expect(events[0]?.context?.ip_address).toBeUndefined();
  });

  test('nothing that fails to find out who acts, or from where, fails the request; the logger is told', async () => {
    const { transport, events } = collectEvents();
    const lines: string[] = [];
    const logger = { warn() {}, error: (line: unknown) => lines.push(String(line)) };
    const audit = createAudit({
      url: 'https://daybook.test',
      apiKey: 'x',
      transport,
      logger,
      flushOnExit: false,
    });
    const fail = () => {
      throw new RangeError('of jane@example.com');
    };
    const app = new Hono().use(auditContext(audit, { actor: fail, peer: fail })).post('/', (c) => {
      c.get('audit').log(DEED);
      return c.text('done');
    });
    expect((await app.request('/', { method: 'POST' })).status).toBe(200);
    const POST = withAuditContext(audit, { actor: async () => fail() })((_request, ofRequest) =>
      ofRequest.log(DEED),
    );
    await POST(new Request('https://app.test'));
    const request: { get(): undefined; audit?: never } = { get: () => undefined };
    expressContext(audit, { actor: fail })(request, undefined, () => {});
    (request as unknown as { audit: typeof audit }).audit.log({ ...DEED } as never);
    await audit.close();
    expect(events.map(({ actor }) => actor)).toEqual(
      Array.from({ length: 3 }, () => ({ type: 'anonymous' })),
    );
    expect(lines).toEqual([
      expect.stringMatching(/^daybook: an event is incomplete \(the address\): RangeError \{/),
      expect.stringMatching(/^daybook: an event is incomplete \(the actor\): RangeError \{/),
    ]);
  });

  test('a user of whom there is no id is anonymous, for Daybook would refuse the event', async () => {
    const { audit, events } = setUp();
    const app = new Hono().use(
      auditContext(audit, { actor: (c) => ({ type: 'user', id: c.req.query('u') }) }),
    );
    app.post('/', (c) => {
      c.get('audit').log(DEED);
      return c.text('done');
    });
    await app.request('/', { method: 'POST' });
    await app.request('/?u=u1', { method: 'POST' });
    await audit.close();
    expect(events.map(({ actor }) => actor)).toEqual([{ type: 'anonymous' }, { type: 'user', id: 'u1' }]);
  });

  test('of Hono, its own request id and context of execution are taken', async () => {
    const { audit, events } = setUp();
    const app = new Hono()
      .use(requestId())
      .use(auditContext(audit))
      .post('/', (c) => {
        c.get('audit').log({ ...DEED, reason: c.get('requestId') });
        return c.text('done');
      });
    const promises: Promise<unknown>[] = [];
    const waitUntil = (promise: Promise<unknown>) => void promises.push(promise);
    await app.request('/', { method: 'POST' }, {}, { waitUntil, passThroughOnException() {}, props: {} });
    expect(promises).toHaveLength(1);
    await Promise.all(promises);
    expect(events[0]?.context?.request_id).toBe(events[0]?.reason);
    expect(events[0]?.reason).toMatch(/^[0-9a-f-]{36}$/);
  });
});
