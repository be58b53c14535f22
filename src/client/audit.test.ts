import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import type { AuditEventInput } from '../events/event.ts';
import { timeOf } from '../events/id.ts';
import { AuditError } from './audit.ts';
import { createAudit } from './create-audit.ts';
import { LOGIN, receiptOf, setUp, stored, times, type Answer } from './daybook.fixture.ts';
import type { AuditEvent } from './event.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('what is logged', () => {
  test('is sent soon, in one batch, with an id of its own, and waits for the commit', async () => {
    const { audit, batches, requests } = setUp();
    audit.log(LOGIN);
    audit.log({ ...LOGIN, action: 'logout' });
    expect(batches).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(batches.map((batch) => batch.map(({ action }) => action))).toEqual([['login', 'logout']]);
    expect(requests[0]?.url).toBe('https://daybook.test/v1/events/batch?ack=committed');
    expect(requests[0]?.init.headers).toMatchObject({ Authorization: 'Bearer dbk_x' });
    const [first, second] = batches[0] ?? [];
    expect(first?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(first?.id).not.toBe(second?.id);
    expect(audit.counts).toEqual({ buffered: 0, stored: 2, refused: 0, dropped: 0 });
  });

  test('is what it was at the call, whatever is done to the object afterwards', async () => {
    const { audit, batches } = setUp();
    const metadata = { plan: 'free' };
    audit.log({ ...LOGIN, metadata });
    metadata.plan = 'pro';
    await vi.advanceTimersByTimeAsync(200);
    expect(batches[0]?.[0]?.metadata).toEqual({ plan: 'free' });
  });

  test('goes at once when it fills a batch, but never in the turn of its caller', async () => {
    const { audit, batches } = setUp({ batch: { events: 3 } });
    times(7, () => audit.log(LOGIN));
    expect(batches).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(batches.map(({ length }) => length)).toEqual([3, 3, 1]);
  });

  test('is cut into batches by its size too', async () => {
    const { audit, batches } = setUp({ batch: { characters: 2500 } });
    times(5, () => audit.log({ ...LOGIN, metadata: { text: 'x'.repeat(1000) } }));
    await vi.advanceTimersByTimeAsync(1);
    expect(batches.map(({ length }) => length)).toEqual([2, 2, 1]);
  });

  test('may be anything: the call never throws', async () => {
    const { audit, batches, logger } = setUp();
    const circle: Record<string, unknown> = { name: 'circle' };
    circle['self'] = circle;
    audit.log({ ...LOGIN, metadata: { big: 12345678901234567890n, circle, twice: [circle, circle] } });
    const broken = Object.defineProperty({ ...LOGIN }, 'metadata', {
      enumerable: true,
      get: () => {
        throw new Error('the secret of the getter');
      },
    });
    audit.log(broken);
    for (const nothing of [undefined, null, 5, 'text']) audit.log(nothing as never);
    await vi.advanceTimersByTimeAsync(200);
    const around = { name: 'circle', self: '[circular]' };
    expect(batches[0]?.[0]?.metadata).toEqual({
      big: '12345678901234567890',
      circle: around,
      twice: [around, around],
    });
    // The one that cannot be read, and two that are nothing.
    expect(audit.counts.refused).toBe(3);
    expect(JSON.stringify(logger.error.mock.calls)).not.toContain('the secret of the getter');
  });

  test('loses what stands under the name of a secret before it leaves the process', async () => {
    const { audit, batches } = setUp();
    audit.log({
      ...LOGIN,
      metadata: {
        apiKey: 'k',
        nested: [{ password: 'p', token_count: 5 }],
        token: 'abcdef',
        plan: 'pro',
        is_secret: true,
      },
      new_value: { 'x-auth-token': 't' },
    });
    await vi.advanceTimersByTimeAsync(200);
    expect(batches[0]?.[0]).toMatchObject({
      metadata: {
        apiKey: '[redacted]',
        nested: [{ password: '[redacted]', token_count: 5 }],
        token: '[redacted]',
        plan: 'pro',
        is_secret: true,
      },
      new_value: { 'x-auth-token': '[redacted]' },
    });
  });

  test('may be redacted otherwise; where that throws, it is not sent', async () => {
    const redact = (event: Record<string, unknown>) => {
      if (event['action'] === 'logout') throw new RangeError('with content');
      return { ...event, reason: 'redacted' };
    };
    const { audit, batches, logger } = setUp({ redact });
    audit.log(LOGIN);
    audit.log({ ...LOGIN, action: 'logout' });
    await vi.advanceTimersByTimeAsync(200);
    expect(batches).toEqual([[expect.objectContaining({ action: 'login', reason: 'redacted' })]]);
    expect(audit.counts).toMatchObject({ stored: 1, refused: 1, buffered: 0 });
    expect(logger.error).toHaveBeenCalledWith(expect.stringContaining('redaction_failed'));
  });
});

describe('while Daybook does not answer', () => {
  test.each<[string, Answer]>([
    ['the network fails', new TypeError('fetch failed')],
    ['it answers 503', { status: 503, body: { code: 'unavailable' } }],
    ['a proxy answers with a page', { status: 502, body: '<html>' }],
    ['the key is not known yet', { status: 401, body: { code: 'invalid_key' } }],
    ['an older one does not know the query', { status: 400, body: { code: 'invalid_query' } }],
  ])('(%s) events wait, and come again with the same ids', async (_what, failure) => {
    const { audit, batches, logger } = setUp({}, (events, call) => (call < 4 ? failure : stored(events)));
    audit.log(LOGIN);
    await vi.advanceTimersByTimeAsync(10_000);
    const ids = batches.map((batch) => batch.map(({ id }) => id));
    expect(ids).toHaveLength(4);
    expect(new Set(ids.flat()).size).toBe(1);
    expect(audit.counts).toEqual({ buffered: 0, stored: 1, refused: 0, dropped: 0 });
    expect(logger.warn).toHaveBeenCalledTimes(1);
  });

  test('it is asked less and less often, and not before it says', async () => {
    const at: number[] = [];
    const { audit } = setUp({}, (_events, call) => {
      at.push(Date.now());
      return { status: 503, body: {}, headers: call === 1 ? { 'Retry-After': '7' } : {} };
    });
    audit.log(LOGIN);
    await vi.advanceTimersByTimeAsync(600_000);
    const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(pauses[0]).toBeGreaterThanOrEqual(7000);
    expect(pauses[0]).toBeLessThan(7600);
    expect(pauses[1]).toBeGreaterThanOrEqual(500);
    expect(pauses[1]).toBeLessThanOrEqual(1000);
    for (const pause of pauses.slice(8)) {
      expect(pause).toBeGreaterThanOrEqual(15_000);
      expect(pause).toBeLessThanOrEqual(30_000);
    }
  });

  test('the buffer stays bounded, and what is dropped is counted and told, once a minute', async () => {
    const { audit, logger } = setUp({ buffer: { events: 100 } }, () => new TypeError('down'));
    times(5000, () => audit.log(LOGIN));
    await vi.advanceTimersByTimeAsync(1000);
    expect(audit.counts).toEqual({ buffered: 100, stored: 0, refused: 0, dropped: 4900 });
    expect(logger.error).toHaveBeenCalledTimes(1);
    times(10, () => audit.log({ ...LOGIN, metadata: { text: 'x'.repeat(100) } }));
    expect(audit.counts.buffered).toBe(100);
    await vi.advanceTimersByTimeAsync(60_000);
    audit.log(LOGIN);
    expect(logger.error).toHaveBeenCalledTimes(2);
  });

  test.each([
    ['newest', [0, 1, 2]],
    ['oldest', [7, 8, 9]],
  ] as const)('the %s events are dropped as asked', async (drop, kept) => {
    const { audit, batches } = setUp({ drop, buffer: { events: 3 } });
    times(10, (n) => audit.log({ ...LOGIN, metadata: { n } }));
    await vi.advanceTimersByTimeAsync(200);
    expect(batches.flat().map(({ metadata }) => metadata?.['n'])).toEqual(kept);
  });

  test('an event whose id grows too old gets another, once, and keeps its time', async () => {
    let isDown = true;
    let isLost = true;
    const { audit, batches } = setUp({}, (events) => {
      if (isDown) return new TypeError('down');
      if (!isLost) return stored(events);
      isLost = false;
      return new TypeError('the answer was lost');
    });
    const loggedAt = new Date().toISOString();
    audit.log(LOGIN);
    audit.log({ ...LOGIN, occurred_at: '2020-01-01T00:00:00Z' });
    await vi.advanceTimersByTimeAsync(300);
    vi.setSystemTime(Date.now() + 8 * 24 * 3600_000);
    isDown = false;
    await vi.advanceTimersByTimeAsync(120_000);
    const [before, after] = batches.slice(-2);
    expect(after).toEqual(before);
    expect(after?.[0]?.id).not.toBe(batches[0]?.[0]?.id);
    expect(after?.map(({ occurred_at }) => occurred_at)).toEqual([loggedAt, '2020-01-01T00:00:00Z']);
    expect(Date.now() - timeOf(after?.[0]?.id ?? '')).toBeLessThan(3600_000 * 170);
    expect(audit.counts.stored).toBe(2);
  });
});

describe('what Daybook refuses', () => {
  test('is told and not sent again, while its neighbours are stored', async () => {
    const { audit, batches, logger } = setUp({}, (events) => {
      const results = events.map((event, index) =>
        event.action === 'bad'
          ? {
              index,
              result: 'rejected',
              problem: {
                code: 'invalid_event',
                detail: 'Wrong.',
                errors: [{ pointer: '/action', code: 'invalid_value' }],
              },
            }
          : { index, result: 'committed', receipt: receiptOf(event) },
      );
      return { status: 207, body: { results } };
    });
    for (const action of ['login', 'bad', 'logout']) audit.log({ ...LOGIN, action });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(batches).toHaveLength(1);
    expect(audit.counts).toEqual({ buffered: 0, stored: 2, refused: 1, dropped: 0 });
    expect(logger.error.mock.calls[0]?.[0]).toContain('invalid_event): Wrong. invalid_value at /action.');
  });

  test('as a whole is halved until it stands alone', async () => {
    const { audit, batches } = setUp({}, (events) =>
      events.some(({ action }) => action === 'bad')
        ? { status: 413, body: { code: 'too_large', detail: 'Too large.' } }
        : stored(events),
    );
    times(8, (n) => audit.log({ ...LOGIN, action: n === 5 ? 'bad' : 'login' }));
    await vi.advanceTimersByTimeAsync(200);
    expect(audit.counts).toEqual({ buffered: 0, stored: 7, refused: 1, dropped: 0 });
    expect(batches.map(({ length }) => length)).toEqual([8, 4, 4, 2, 1, 1, 2]);
  });

  test('for now waits, and keeps nothing else from being stored', async () => {
    const { audit, batches } = setUp({}, (events, call) => {
      if (call > 1) return stored(events);
      const results = events.map((event, index) =>
        index === 0
          ? { index, result: 'rejected', problem: { code: 'unavailable' } }
          : { index, result: 'committed', receipt: receiptOf(event) },
      );
      return { status: 207, body: { results } };
    });
    times(3, () => audit.log(LOGIN));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(batches.map(({ length }) => length)).toEqual([3, 1]);
    expect(audit.counts.stored).toBe(3);
  });
});

describe('flush and close', () => {
  test('send what waits at once, and tell whether all of it was settled', async () => {
    const { audit, batches } = setUp({ linger: 60_000 });
    audit.log(LOGIN);
    const flushed = audit.flush();
    await vi.advanceTimersByTimeAsync(1);
    expect([await flushed, batches.length]).toEqual([true, 1]);
    expect(await audit.flush()).toBe(true);
  });

  test('wait for what was logged before them, not for what comes all the time', async () => {
    const { audit, batches } = setUp({ linger: 60_000 }, stored);
    audit.log(LOGIN);
    const more = setInterval(() => audit.log(LOGIN), 1);
    const flushed = audit.flush();
    await vi.advanceTimersByTimeAsync(5);
    expect(await Promise.race([flushed, 'still waits'])).toBe(true);
    clearInterval(more);
    expect(batches.length).toBeGreaterThan(0);
  });

  test('give up after their time, and a pause between two tries is cut short', async () => {
    const { audit, batches } = setUp({}, () => new TypeError('down'));
    audit.log(LOGIN);
    await vi.advanceTimersByTimeAsync(300_000);
    const before = batches.length;
    const flushed = audit.flush({ timeout: 1000 });
    await vi.advanceTimersByTimeAsync(1);
    expect(batches.length).toBe(before + 1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await flushed).toBe(false);
    expect(audit.counts.buffered).toBe(1);
    const closed = audit.close({ timeout: 1000 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await closed).toBe(false);
    audit.log(LOGIN);
    expect(audit.counts).toEqual({ buffered: 0, stored: 0, refused: 0, dropped: 2 });
    const ended = batches.length;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(batches.length).toBe(ended);
  });
});

describe('record', () => {
  test('gives the receipt, or an error that says why not', async () => {
    const { audit } = setUp({}, (events) =>
      events[0]?.action === 'login'
        ? stored(events)
        : {
            status: 422,
            body: {
              results: [
                { index: 0, result: 'rejected', problem: { code: 'invalid_event', detail: 'Wrong.' } },
              ],
            },
          },
    );
    const recorded = audit.record(LOGIN);
    await vi.advanceTimersByTimeAsync(200);
    expect(await recorded).toMatchObject({ workspace_id: 'acme', result: 'committed' });
    const refused = audit.record({ ...LOGIN, action: 'logout' }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(200);
    const error = await refused;
    expect(error).toBeInstanceOf(AuditError);
    expect(error).toMatchObject({ code: 'invalid_event', message: 'Wrong.' });
  });
});

describe('record with a time limit', () => {
  test('says when it is over that nothing is known, and the event is sent all the same', async () => {
    let isDown = true;
    const { audit } = setUp({}, (events) => (isDown ? new TypeError('down') : stored(events)));
    const recorded = audit.record(LOGIN, { timeout: 1000 }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await recorded).toMatchObject({ code: 'timeout' });
    isDown = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(audit.counts).toMatchObject({ stored: 1, dropped: 0 });
  });
});

test('a process waits for what it records, and for nothing else', async () => {
  const script = `
    import { createAudit } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)};
    import { collectEvents } from ${JSON.stringify(new URL('testing.ts', import.meta.url).href)};
    const { transport } = collectEvents();
    const audit = createAudit({ url: 'https://daybook.test', apiKey: 'x', transport, flushOnExit: false });
    const event = ${JSON.stringify(LOGIN)};
    audit.log(event);
    console.log((await audit.record(event)).result);`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script]);
  expect(stdout).toBe('committed\n');
});

test('a flush is told of what was dropped meanwhile', async () => {
  const { audit } = setUp({ drop: 'oldest', buffer: { events: 2 }, linger: 60_000 }, (events, call) =>
    call < 2 ? new TypeError('down') : stored(events),
  );
  audit.log(LOGIN);
  await vi.advanceTimersByTimeAsync(60_000);
  const flushed = audit.flush({ timeout: 5000 });
  times(2, () => audit.log(LOGIN));
  await vi.advanceTimersByTimeAsync(5000);
  expect(await flushed).toBe(false);
});

test('a flush waits as long as Daybook said, where there is time left', async () => {
  const { audit, batches } = setUp({}, (events, call) =>
    call === 1
      ? { status: 429, body: { code: 'rate_limited' }, headers: { 'Retry-After': '5' } }
      : stored(events),
  );
  audit.log(LOGIN);
  await vi.advanceTimersByTimeAsync(300);
  const flushed = audit.flush();
  await vi.advanceTimersByTimeAsync(4000);
  expect(batches).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect([await flushed, batches.length]).toEqual([true, 2]);
});

test('what an operator can mend is waited for: a workspace that the key does not cover yet', async () => {
  let isMended = false;
  const { audit } = setUp({}, (events) => {
    const problem = { code: 'workspace_forbidden', status: 403, detail: 'No.' };
    const results = events.map((_event, index) => ({ index, result: 'rejected', problem }));
    return isMended ? stored(events) : { status: 422, body: { results } };
  });
  audit.log(LOGIN);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(audit.counts).toMatchObject({ buffered: 1, refused: 0 });
  isMended = true;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(audit.counts).toMatchObject({ buffered: 0, stored: 1 });
});

test('the listener of a process that ends goes with the client', async () => {
  const before = process.listenerCount('beforeExit');
  const { audit } = setUp({ flushOnExit: true });
  expect(process.listenerCount('beforeExit')).toBe(before + 1);
  await audit.close();
  expect(process.listenerCount('beforeExit')).toBe(before);
});

describe('children', () => {
  test('know what their events have in common, which the events may override', async () => {
    const { audit, batches } = setUp();
    const child = audit
      .with({
        actor: { type: 'user', id: 'u1' },
        context: { request_id: 'r1', ip_address: '192.0.2.1' },
        metadata: { app: 'web' },
      })
      .with({ workspace_id: 'acme' });
    child.log({ action: 'login', target: { type: 'session' } });
    child.log({
      ...LOGIN,
      actor: { type: 'system' },
      context: { request_id: 'r2', ip_address: undefined },
      metadata: { n: 1 },
    });
    await vi.advanceTimersByTimeAsync(200);
    expect(batches[0]).toMatchObject([
      { workspace_id: 'acme', actor: { id: 'u1' }, context: { request_id: 'r1', ip_address: '192.0.2.1' } },
      {
        actor: { type: 'system' },
        context: { request_id: 'r2', ip_address: '192.0.2.1' },
        metadata: { app: 'web', n: 1 },
      },
    ]);
  });

  test('of one request of a Worker send within its waitUntil', async () => {
    const { audit, batches } = setUp({ linger: 60_000 });
    const promises: Promise<unknown>[] = [];
    const ofRequest = audit
      .during({ waitUntil: (promise) => void promises.push(promise) })
      .with({ workspace_id: 'acme' });
    ofRequest.log(LOGIN);
    ofRequest.log(LOGIN);
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all(promises);
    expect(batches.map(({ length }) => length)).toEqual([2]);
  });

  test('of one request tell what they could not send in its time', async () => {
    const { audit, logger } = setUp({}, () => new TypeError('down'));
    const promises: Promise<unknown>[] = [];
    const ofRequest = audit.during({ waitUntil: (promise) => void promises.push(promise) });
    ofRequest.log(LOGIN);
    await vi.advanceTimersByTimeAsync(25_000);
    await Promise.all(promises);
    expect(ofRequest.counts).toEqual({ buffered: 0, stored: 0, refused: 0, dropped: 1 });
    expect(logger.error).toHaveBeenCalledWith(expect.stringContaining('out of time'));
  });
});

describe('withAudit', () => {
  test('records success, and gives what the deed gives', async () => {
    const { audit, batches } = setUp();
    expect(audit.withAudit(LOGIN, () => 5)).toBe(5);
    expect(await audit.withAudit(LOGIN, async () => 6)).toBe(6);
    await vi.advanceTimersByTimeAsync(200);
    expect(batches.flat().map(({ outcome }) => outcome)).toEqual(['success', 'success']);
  });

  test('begins a query once, and survives an event or an error that cannot be read', async () => {
    const { audit, batches } = setUp();
    let begun = 0;
    const query: PromiseLike<number> = {
      // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
      then(resolve, reject) {
        begun += 1;
        return Promise.resolve(7).then(resolve, reject);
      },
    };
    expect(await audit.withAudit(LOGIN, () => query)).toBe(7);
    expect(begun).toBe(1);
    const broken = (name: string) =>
      Object.defineProperty({ ...LOGIN }, name, {
        enumerable: true,
        get: () => {
          throw new Error('no');
        },
      });
    expect(audit.withAudit(broken('metadata'), () => 5)).toBe(5);
    await expect(audit.withAudit(LOGIN, () => Promise.reject(broken('status')))).rejects.toBeDefined();
    await vi.advanceTimersByTimeAsync(200);
    expect([batches.flat().length, audit.counts.refused]).toEqual([1, 2]);
  });

  test('records failure or denied, never what the error says, and throws it untouched', async () => {
    const { audit, batches } = setUp();
    const broken = new RangeError('of jane@example.com');
    const denied = Object.assign(new Error('no'), { status: 403 });
    expect(() =>
      audit.withAudit(LOGIN, () => {
        throw broken;
      }),
    ).toThrow(broken);
    await expect(
      audit.withAudit(LOGIN, async () => {
        throw denied;
      }),
    ).rejects.toBe(denied);
    await expect(audit.withAudit(LOGIN, () => Promise.reject(undefined))).rejects.toBe(undefined);
    const thrown = (what: unknown) => audit.withAudit(LOGIN, () => Promise.reject(what)).catch(() => {});
    await thrown(Object.assign(new Error('NEXT_REDIRECT'), { digest: 'NEXT_REDIRECT;push;/done;307;' }));
    await thrown(Object.assign(new Error('no'), { digest: 'NEXT_HTTP_ERROR_FALLBACK;403' }));
    await thrown(new Response('', { status: 500 }));
    await vi.advanceTimersByTimeAsync(200);
    expect(batches.flat().map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['failure', 'RangeError'],
      ['denied', 'Error'],
      ['failure', undefined],
      ['success', undefined],
      ['denied', 'Error'],
      ['failure', undefined],
    ]);
  });
});

test('a steady stream of events puts nothing off', async () => {
  const { audit, batches } = setUp({ batch: { events: 2 } });
  const stream = setInterval(() => times(3, () => audit.log(LOGIN)), 1);
  await vi.advanceTimersByTimeAsync(20);
  clearInterval(stream);
  expect(batches.length).toBeGreaterThan(5);
});

test('an id that is none is for Daybook to refuse, and stops nothing', async () => {
  const { audit, batches } = setUp();
  for (const id of [42, '12345', 'evt_1', '11111111-1111-4111-8111-111111111111'])
    audit.log({ ...LOGIN, id: id as string });
  await vi.advanceTimersByTimeAsync(200);
  expect(batches[0]?.map(({ id, occurred_at }) => [id, occurred_at])).toEqual([
    ['42', undefined],
    ['12345', undefined],
    ['evt_1', undefined],
    ['11111111-1111-4111-8111-111111111111', undefined],
  ]);
});

test('a close during a failing try goes on trying until its time is over', async () => {
  const { audit, batches } = setUp({}, (events, call) =>
    call < 8 ? { status: 503, body: {} } : stored(events),
  );
  audit.log(LOGIN);
  await vi.advanceTimersByTimeAsync(20_000);
  const closed = audit.close({ timeout: Infinity });
  await vi.advanceTimersByTimeAsync(5000);
  expect(await closed).toBe(true);
  expect([batches.length, audit.counts.stored]).toEqual([8, 1]);
});

test('a transport that rejects is one that does not answer', async () => {
  let calls = 0;
  const send = async () => {
    calls += 1;
    throw new RangeError('of the transport');
  };
  const { audit, logger } = setUp({ transport: { send } });
  audit.log(LOGIN);
  await vi.advanceTimersByTimeAsync(5000);
  expect(calls).toBeGreaterThan(2);
  expect(audit.counts.buffered).toBe(1);
  expect(logger.warn).toHaveBeenCalledWith(expect.stringContaining('RangeError'));
});

test('an event of the client is one of Daybook', () => {
  expectTypeOf<AuditEvent>().toExtend<AuditEventInput>();
  expectTypeOf<AuditEventInput>().toExtend<AuditEvent>();
  const { audit } = setUp();
  const child = audit.with({ actor: { type: 'system' } });
  child.log({ action: 'login', target: { type: 'session' } });
  // @ts-expect-error who acted is not known
  audit.log({ action: 'login', target: { type: 'session' } });
  // @ts-expect-error there is no such field
  audit.log({ ...LOGIN, user_id: 'u1' });
});

test('a logger that throws harms nothing', async () => {
  const logger = {
    warn: () => {
      throw new Error('full disk');
    },
    error: () => {
      throw new Error('full disk');
    },
  };
  const { audit, batches } = setUp({ logger, buffer: { events: 1 } }, (events, call) =>
    call === 1 ? new TypeError('down') : stored(events),
  );
  times(3, () => audit.log(LOGIN));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(batches.length).toBeGreaterThan(1);
  expect(audit.counts).toEqual({ buffered: 0, stored: 1, refused: 0, dropped: 2 });
});

test('without a URL or a key nothing can be made', () => {
  expect(() => createAudit({ url: 'daybook', apiKey: 'dbk_x' })).toThrow(TypeError);
  expect(() => createAudit({ url: 'https://daybook.test', apiKey: '' })).toThrow(TypeError);
});
