import { Hono } from 'hono';
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
});
