import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAudit } from './create-audit.ts';
import type { AuditError } from './audit.ts';
import { LOGIN, setUp, stored, times } from './daybook.fixture.ts';
import type { BatchOutcome } from './transport.ts';
import { workspaceHelpers } from './workspace.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** An object whose member throws when it is looked at. */
function throwing(name: string, error: unknown = new Error('the secret of the getter')): object {
  return Object.defineProperty({}, name, {
    enumerable: true,
    get: () => {
      throw error;
    },
  });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

class Nameless extends Error {
  override name = Symbol('s') as never;
}

describe('whatever the application passes, nothing is thrown into it', () => {
  test.each<[string, object]>([
    ['a getter that throws what cannot be looked at', { ...LOGIN, actor: revoked() }],
    ['an error without a name', throwing('action', new Nameless())],
    ['an event that cannot be looked at', revoked()],
  ])('by log: %s', async (_what, event) => {
    const { audit, logger } = setUp();
    audit.log(event as never);
    await vi.advanceTimersByTimeAsync(200);
    const { stored, refused } = audit.counts;
    expect(stored + refused).toBe(1);
    expect(JSON.stringify(logger.error.mock.calls)).not.toContain('the secret');
  });

  test('by log: a member that cannot be written is left out alone', async () => {
    const { audit, batches } = setUp();
    const doc = {
      toJSON() {
        throw new Error('of an ORM');
      },
    };
    const at = new Date('2026-01-02T03:04:05Z');
    const metadata = { a: 1, doc, big: 5n, list: [at, doc], lazy: throwing('x') };
    audit.log({ ...LOGIN, metadata: metadata as never });
    await vi.advanceTimersByTimeAsync(200);
    expect(batches[0]?.[0]?.metadata).toEqual({
      a: 1,
      doc: '[unwritable]',
      big: '5',
      list: ['2026-01-02T03:04:05.000Z', '[unwritable]'],
      lazy: { x: '[unwritable]' },
    });
  });

  test('by withAudit: a result that is no promise, and looks like one', async () => {
    const { audit, batches } = setUp();
    const result = throwing('then');
    expect(audit.withAudit(LOGIN, () => result)).toBe(result);
    await vi.advanceTimersByTimeAsync(200);
    expect(batches.flat().map(({ outcome }) => outcome)).toEqual(['success']);
  });

  test('by the short calls, and what can be read of them is recorded', async () => {
    const { audit, batches } = setUp();
    const helpers = workspaceHelpers(audit);
    helpers.logAuditEvent(undefined as never);
    helpers.logAuditEvent(throwing('workspaceId') as never);
    helpers.auditAdminAction('u1', 'acme', 'disabled_user', throwing('x') as never);
    helpers.auditLogin('u1', 'acme', '192.0.2.1', 42 as never);
    await vi.advanceTimersByTimeAsync(200);
    expect(batches.flat().map(({ context }) => context?.user_agent)).toEqual(['42']);
    expect(audit.counts.refused).toBe(3);
  });
});

describe('whatever the transport gives', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['something else', 'stored'],
    ['an answer without outcomes', { kind: 'answered' }],
    ['an answer without an outcome', { kind: 'answered', outcomes: [null] }],
    ['a reason that is no text', { kind: 'later', reason: Symbol('why') }],
  ])('(%s) the events wait, and are stored once it is mended', async (_what, given) => {
    let answer = given;
    const { audit } = setUp({ transport: { send: async () => answer as BatchOutcome } });
    audit.log(LOGIN);
    await vi.advanceTimersByTimeAsync(1000);
    expect(audit.counts).toMatchObject({ buffered: 1 });
    answer = { kind: 'answered', outcomes: [{ result: 'stored', receipt: {} }] };
    await vi.advanceTimersByTimeAsync(10_000);
    expect(audit.counts).toMatchObject({ buffered: 0, stored: 1 });
  });
});

describe('options', () => {
  test.each(['daybook', 'localhost:8787', 'ftp://daybook.test', ''])('have a url of HTTP, not %s', (url) => {
    expect(() => createAudit({ url, apiKey: 'dbk_x' })).toThrow('https://');
  });

  test('that are undefined are as if they were not given', async () => {
    const { audit } = setUp({
      buffer: { events: undefined } as never,
      batch: { events: undefined } as never,
    });
    times(3, () => audit.log(LOGIN));
    await vi.advanceTimersByTimeAsync(200);
    expect(audit.counts).toMatchObject({ stored: 3, dropped: 0 });
  });
});

describe('an id of the application', () => {
  test('goes as it is however old, so that a second one is known for the same event', async () => {
    const { audit, batches } = setUp({}, stored);
    const id = '01900000-0000-7000-8000-000000000001';
    audit.log({ ...LOGIN, id });
    await vi.advanceTimersByTimeAsync(200);
    expect(batches.flat()).toEqual([{ ...LOGIN, id }]);
  });
});

describe('the logger is told', () => {
  test('once a minute that events are kept, whatever names what stands between gives to that', async () => {
    const { audit, logger } = setUp({}, (_events, call) => ({ status: 502, body: { code: `req-${call}` } }));
    audit.log(LOGIN);
    await vi.advanceTimersByTimeAsync(50_000);
    expect(logger.warn).toHaveBeenCalledTimes(1);
  });

  test('that the url may be wrong where something else answers, and no redirect is followed', async () => {
    const { audit, logger, requests } = setUp({}, () => ({ status: 301, body: '' }));
    audit.log(LOGIN);
    await vi.advanceTimersByTimeAsync(200);
    expect(requests[0]?.init.redirect).toBe('manual');
    expect(logger.warn.mock.calls[0]?.[0]).toContain('301: is the url right?');
  });
});

describe('whatever it is given to send with, every event comes to its end', () => {
  test('where the transport gives nothing, and the logger is closed meanwhile', async () => {
    const { promise, resolve } = Promise.withResolvers<BatchOutcome>();
    const { audit } = setUp({ transport: { send: () => promise } });
    const recorded = audit.record(LOGIN).catch(({ code }: AuditError) => code);
    await vi.advanceTimersByTimeAsync(200);
    const closed = audit.close({ timeout: 20 });
    await vi.advanceTimersByTimeAsync(20);
    await expect(closed).resolves.toBe(false);
    resolve(undefined as never);
    expect(await recorded).toBe('dropped');
    expect(audit.counts).toEqual({ buffered: 0, stored: 0, refused: 0, dropped: 1 });
  });

  test('where redaction makes what is written as nothing', async () => {
    const redact = (event: object) => ({ ...event, toJSON: () => undefined });
    const { audit, batches } = setUp({ redact }, (events, call) =>
      call === 1 ? new TypeError() : stored(events),
    );
    audit.log(LOGIN);
    await vi.advanceTimersByTimeAsync(5000);
    expect(audit.counts).toMatchObject({ buffered: 0, stored: 1 });
    expect(batches[1]?.[0]).toMatchObject(LOGIN);
  });

  test('where waitUntil logs itself', async () => {
    const promises: Promise<unknown>[] = [];
    const { audit } = setUp();
    const ofRequest = audit.during({
      waitUntil: (promise) => {
        promises.push(promise);
        ofRequest.log(LOGIN);
      },
    });
    ofRequest.log(LOGIN);
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all(promises);
    expect(promises).toHaveLength(1);
    expect(audit.counts).toMatchObject({ stored: 2 });
  });
});
