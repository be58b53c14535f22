import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type Request as ExpressRequest } from 'express';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { defineCatalogue } from './catalogue.ts';
import { createAudit } from './create-audit.ts';
import { auditContext as expressContext, type Audited } from './express.ts';
import { auditContext as honoContext, type AuditVariables } from './hono.ts';
import { withAuditContext } from './next.ts';
import { collectEvents } from './testing.ts';

const catalogue = defineCatalogue({
  actions: { 'invoice.paid': { target: 'invoice', metadata: { amount: 'number' } } },
});
const { transport, events } = collectEvents();
const audit = createAudit({
  url: 'https://daybook.test',
  apiKey: 'none',
  transport,
  catalogue,
  flushOnExit: false,
});
const PAID = {
  action: 'invoice.paid',
  target: { type: 'invoice' },
  metadata: { amount: 1 },
} as const;
const TYPO = { ...PAID, action: 'invoice.payed' } as const;

// As docs/client.md says.
declare global {
  namespace Express {
    interface Request extends Audited<typeof audit> {}
  }
}

/** As Next's own: a Request with more. */
class NextRequest extends Request {
  readonly cookies = new Map([['user', 'u_next']]);
}

/** What Next.js takes as a route's handler. */
type RouteHandler = (
  request: NextRequest,
  context: { params: Promise<{ id: string }> },
) => Promise<Response> | Response;

describe('with the types of the framework and of the catalogue', () => {
  test('Express has req.audit in all its handlers', async () => {
    const app = express();
    app.use(expressContext(audit, { actor: (req: ExpressRequest) => ({ type: 'user', id: req.path }) }));
    app.post('/paid', (req, res) => {
      req.audit.log(PAID);
      // @ts-expect-error there is no such action
      if (req.query['never']) req.audit.log(TYPO);
      res.end();
    });
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await fetch(`http://127.0.0.1:${port}/paid`, { method: 'POST' });
    await new Promise((resolve) => server.close(resolve));
    await audit.flush();
    expect(events.at(-1)).toMatchObject({
      ...PAID,
      actor: { id: '/paid' },
      context: { ip_address: '127.0.0.1' },
    });
  });

  test("Hono has c.get('audit') beside variables of one's own", async () => {
    const app = new Hono<{ Variables: { userId?: string } & AuditVariables<typeof audit> }>();
    app.use(async (c, next) => {
      c.set('userId', 'u_hono');
      await next();
    });
    app.use(honoContext(audit, { actor: (c) => ({ type: 'user', id: c.get('userId') }) }));
    app.post('/', (c) => {
      c.get('audit').log(PAID);
      // @ts-expect-error there is no such action
      if (c.req.query('never')) c.get('audit').log(TYPO);
      return c.body(null);
    });
    await app.request('/', { method: 'POST' });
    await audit.flush();
    expect(events.at(-1)).toMatchObject({ ...PAID, actor: { id: 'u_hono' } });
  });

  test('Next.js has its own request in the handler and in who acts', async () => {
    const wrap = withAuditContext(audit, {
      actor: (request: NextRequest) => ({ type: 'user', id: request.cookies.get('user') }),
    });
    const POST: RouteHandler = wrap(
      async (request, ofRequest, { params }: { params: Promise<{ id: string }> }) => {
        ofRequest.log(PAID);
        // @ts-expect-error there is no such action
        if (request.cookies.has('never')) ofRequest.log(TYPO);
        return Response.json((await params).id);
      },
    );
    const other: RouteHandler = withAuditContext(audit)(async (request: NextRequest) =>
      Response.json(request.cookies.size),
    );
    const context = { params: Promise.resolve({ id: 'p1' }) };
    const answer = await POST(new NextRequest('https://app.test'), context);
    expect(await answer.json()).toBe('p1');
    expect((await other(new NextRequest('https://app.test'), context)).status).toBe(200);
    await audit.flush();
    expect(events.at(-1)).toMatchObject({ ...PAID, actor: { id: 'u_next' } });
  });
});
