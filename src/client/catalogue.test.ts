import { Hono } from 'hono';
import { expect, expectTypeOf, test } from 'vitest';
import { defineCatalogue } from './catalogue.ts';
import type { configureAudit } from './configured.ts';
import { createAudit, type AuditOptions } from './create-audit.ts';
import { auditContext as expressContext, type Audited } from './express.ts';
import { auditContext, type AuditVariables } from './hono.ts';
import { withAuditContext } from './next.ts';
import { collectEvents } from './testing.ts';

const catalogue = defineCatalogue({
  vocabularies: ['tasks'],
  actions: { 'invoice.paid': { target: 'invoice', metadata: { amount: 'number' } } },
});
const actor = { type: 'system' } as const;
const paid = {
  action: 'invoice.paid',
  target: { type: 'invoice', id: '7' },
  metadata: { amount: 12.5 },
} as const;

function setUp() {
  const { transport, events } = collectEvents();
  const lines: string[] = [];
  const logger = {
    warn: (line: unknown) => lines.push(String(line)),
    error: (line: unknown) => lines.push(String(line)),
  };
  const options: AuditOptions = {
    url: 'https://daybook.test',
    apiKey: 'none',
    transport,
    logger,
    flushOnExit: false,
  };
  return { audit: createAudit({ ...options, catalogue }), events, lines };
}

test('what the catalogue takes is sent', async () => {
  const { audit, events } = setUp();
  audit.log({ ...paid, actor });
  audit.with({ actor }).log({ action: 'task_created', target: { type: 'task' } });
  await audit.close();
  expect(events).toMatchObject([{ action: 'invoice.paid' }, { action: 'task_created' }]);
});

test('what it does not take never leaves, and the logger is told where it is wrong', async () => {
  const { audit, events, lines } = setUp();
  // As JavaScript may call it.
  const loose = audit as unknown as { log(event: object): void; record(event: object): Promise<unknown> };
  loose.log({ ...paid, actor, action: 'invoice.payed' });
  loose.log({ ...paid, actor, metadata: { amount: '12.5' } });
  loose.log({ action: 'invoice.paid', actor });
  await expect(loose.record({ ...paid, actor, target: { type: 'task' } })).rejects.toMatchObject({
    code: 'invalid_event',
    message: '/target/type: The catalogue has this action with a target of type invoice.',
  });
  await audit.close();
  expect(events).toEqual([]);
  expect(audit.counts).toMatchObject({ refused: 4, buffered: 0 });
  expect(lines[0]).toContain(
    '/action: The catalogue does not take this action: did you mean "invoice.paid"?',
  );
});

test('what is told of it holds no name that the event chose', async () => {
  const { audit, lines } = setUp();
  const metadata = { amount: 1, 'jane@example.com': 1 };
  (audit as unknown as { log(event: object): void }).log({ ...paid, actor, metadata });
  await audit.close();
  expect(audit.counts.refused).toBe(1);
  expect(lines.join()).not.toContain('jane');
});

test('what is checked is what is written', async () => {
  const { transport, events } = collectEvents();
  const dated = defineCatalogue({ actions: { 'a.b': { target: 't', metadata: { at: 'string' } } } });
  const audit = createAudit({ url: 'https://daybook.test', apiKey: 'none', transport, catalogue: dated });
  const at = new Date('2026-01-02T03:04:05Z') as unknown as string;
  audit.log({ action: 'a.b', actor, target: { type: 't' }, metadata: { at } });
  await audit.close();
  expect(events[0]?.metadata).toEqual({ at: '2026-01-02T03:04:05.000Z' });
});

test('what is known already is checked with the rest', async () => {
  const { audit, events } = setUp();
  audit.with({ actor, target: { type: 'invoice' } }).log({ action: 'invoice.paid', metadata: { amount: 1 } });
  await audit.close();
  expect(events).toHaveLength(1);
});

test('its types are those of the logger', () => {
  const { audit } = setUp();
  type Event = Parameters<typeof audit.log>[0];
  expectTypeOf<typeof paid & { actor: typeof actor }>().toExtend<Event>();
  expectTypeOf<
    Omit<typeof paid, 'action'> & { action: 'invoice.payed'; actor: typeof actor }
  >().not.toExtend<Event>();
  expectTypeOf<{
    action: 'invoice.paid';
    target: { type: 'invoice' };
    actor: typeof actor;
  }>().not.toExtend<Event>();
  const known = audit.with({ actor });
  expectTypeOf<typeof paid>().toExtend<Parameters<typeof known.log>[0]>();
  expectTypeOf<{ action: 'nothing'; target: { type: 'invoice' } }>().not.toExtend<
    Parameters<typeof known.log>[0]
  >();
});

test('its types are those of what is known already, and of related targets', () => {
  const { audit } = setUp();
  audit.with({ action: 'invoice.paid', target: { type: 'invoice' }, metadata: { of: 'another' } });
  // @ts-expect-error there is no such action
  audit.with({ action: 'nonsense' });
  // @ts-expect-error there is no such target
  audit.with({ target: { type: 'spaceship' } });
  audit.log({ ...paid, actor, related_targets: [{ type: 'task', id: 't1' }] });
  // @ts-expect-error there is no such target
  audit.log({ ...paid, actor, related_targets: [{ type: 'spaceship' }] });
  type Bound = ReturnType<typeof configureAudit<(typeof catalogue)['definition']>>;
  expectTypeOf<Bound>().toEqualTypeOf<typeof audit>();
});

test('its types are those of the logger of a request', () => {
  const { audit } = setUp();
  const app = new Hono<{ Variables: AuditVariables<typeof audit> }>().use(auditContext(audit));
  app.post('/', (c) => {
    expectTypeOf<typeof paid>().toExtend<Parameters<(typeof c.var.audit)['log']>[0]>();
    expectTypeOf<Omit<typeof paid, 'metadata'>>().not.toExtend<Parameters<(typeof c.var.audit)['log']>[0]>();
    return c.body(null);
  });
  new Hono().use(auditContext(audit)).post('/', (c) => {
    expectTypeOf<Omit<typeof paid, 'metadata'>>().not.toExtend<Parameters<(typeof c.var.audit)['log']>[0]>();
    return c.body(null);
  });

  interface Request extends Partial<Audited<typeof audit>> {
    get(name: string): string | undefined;
  }
  const middleware = expressContext(audit, { actor: (_request: Request) => undefined });
  expectTypeOf<Parameters<typeof middleware>[0]['audit']>().toEqualTypeOf<
    Audited<typeof audit>['audit'] | undefined
  >();
  expectTypeOf<typeof paid>().toExtend<Parameters<Audited<typeof audit>['audit']['log']>[0]>();

  withAuditContext(audit)((_request, ofRequest) => {
    expectTypeOf<typeof paid>().toExtend<Parameters<typeof ofRequest.log>[0]>();
    expectTypeOf<Omit<typeof paid, 'metadata'>>().not.toExtend<Parameters<typeof ofRequest.log>[0]>();
  });
});
