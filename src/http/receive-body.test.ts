import { Hono } from 'hono';
import { beforeEach, describe, expect, test } from 'vitest';
import { BodyBudget } from './body-budget.ts';
import { ProblemError, problemResponse } from './problem.ts';
import { receiveBody } from './receive-body.ts';

let budget: BodyBudget;
let app: Hono;

beforeEach(() => {
  budget = new BodyBudget({ total: 100, perKey: 100 });
  app = new Hono();
  const options = { keyOf: () => 'a', maxBytes: 100, what: 'A text', mediaTypes: ['text/plain'] };
  app.use(receiveBody({ ...options, budget, patience: 50 }));
  app.post('/', async (c) => c.text(`${budget.reserve('a', 1) === undefined} ${await c.req.text()}`));
  app.post('/broken', () => {
    throw new Error('broken');
  });
  app.onError((error, c) =>
    error instanceof ProblemError ? problemResponse(c, error.problem) : c.text(error.message, 500),
  );
});

/** All of the budget can be reserved again. */
function expectAllGivenBack(): void {
  expect(budget.reserve('a', 100)).toBeDefined();
}

interface Source {
  body: string | ReadableStream<Uint8Array>;
  length?: number | undefined;
  type?: string;
  path?: string;
}

async function post({ body, length, type = 'text/plain', path = '/' }: Source): Promise<Response> {
  const headers = {
    'Content-Type': type,
    ...(length === undefined ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(length) }),
  };
  return app.request(new Request(`http://x${path}`, { method: 'POST', headers, body, duplex: 'half' }));
}

/** A body that gives these pieces, and then ends, breaks or gives no more. */
function pieces(texts: string[], then: 'end' | 'break' | 'stall') {
  const state = { cancelled: false, pulled: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        state.pulled += 1;
        const text = texts.shift();
        if (text !== undefined) controller.enqueue(new TextEncoder().encode(text));
        else if (then === 'end') controller.close();
        else if (then === 'break') controller.error(new Error('Network connection lost.'));
        else await new Promise(() => {});
      },
      cancel() {
        state.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, state };
}

describe.each([
  ['that says its length', 100],
  ['that does not say its length', undefined],
])('a body %s', (_, length) => {
  test('holds its memory until the request is answered', async () => {
    const answer = await post({ body: pieces(['x'.repeat(60), 'y'.repeat(40)], 'end').stream, length });
    expect(await answer.text()).toBe(`true ${'x'.repeat(60)}${'y'.repeat(40)}`);
    expectAllGivenBack();
  });

  test('gives its memory back when the handler fails', async () => {
    expect((await post({ body: 'x'.repeat(100), length, path: '/broken' })).status).toBe(500);
    expectAllGivenBack();
  });

  test.each(['stall', 'break'] as const)('that begins and then %ss ends with 408', async (then) => {
    const answer = await post({ body: pieces(['x'], then).stream, length });
    expect(answer.status).toBe(408);
    expect(await answer.json()).toMatchObject({ code: 'request_timeout' });
    expectAllGivenBack();
  });

  test('is refused unread when there is no room for it', async () => {
    const others = budget.reserve('b', 1);
    const { stream, state } = pieces(['x'], 'end');
    const answer = await post({ body: stream, length });
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '1']);
    expect(state.pulled).toBe(0);
    others?.();
    expectAllGivenBack();
  });

  test('of another type is refused unread', async () => {
    const { stream, state } = pieces(['x'], 'end');
    expect((await post({ body: stream, length, type: 'text/html' })).status).toBe(415);
    expect(state.pulled).toBe(0);
    expectAllGivenBack();
  });
});

test('a body that says it is too large is refused unread', async () => {
  const { stream, state } = pieces(['x'], 'end');
  expect((await post({ body: stream, length: 101 })).status).toBe(413);
  expect(state.pulled).toBe(0);
});

test('a body that turns out too large is cancelled there', async () => {
  const { stream, state } = pieces(
    Array.from({ length: 1000 }, () => 'x'.repeat(60)),
    'end',
  );
  expect((await post({ body: stream })).status).toBe(413);
  expect(state).toEqual({ cancelled: true, pulled: 2 });
  expectAllGivenBack();
});

test('a body in many pieces has one time limit, not one for each', async () => {
  const slow = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.enqueue(new Uint8Array(1));
    },
  });
  expect((await post({ body: slow })).status).toBe(408);
});
