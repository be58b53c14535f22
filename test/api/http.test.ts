import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROBLEMS } from '../../src/http/problem.ts';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';

let deployment: Deployment;
let client: Client;
let nobody: Client;
const known = anEvent();

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
  nobody = clientOf(deployment, undefined);
  expect((await client.post('/v1/events?ack=committed', known)).status).toBe(201);
});
afterAll(() => deployment.close());

const ROUTES: [string, string[]][] = [
  ['/v1/events', ['GET', 'HEAD', 'POST']],
  ['/v1/events/batch', ['POST']],
  [`/v1/events/${known.id}`, ['GET', 'HEAD']],
  ['/v1/retention', ['GET', 'HEAD']],
  ['/v1/retention/run', ['POST']],
  ['/healthz', ['GET', 'HEAD']],
  ['/readyz', ['GET', 'HEAD']],
  ['/metrics', ['GET', 'HEAD']],
  ['/problems/conflict', ['GET', 'HEAD']],
];

const allowed = (headers: Headers) => (headers.get('Allow') ?? '').split(', ').toSorted();

describe.each(ROUTES)('the route %s', (path, methods) => {
  test('answers OPTIONS with the methods it knows, to anybody', async () => {
    const answer = await nobody.send('OPTIONS', path);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('Content-Type')).toBeNull();
    expect(allowed(answer.headers)).toEqual([...methods, 'OPTIONS'].toSorted());
  });

  test('answers another method with 405 and the methods it knows', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE', ...(methods.includes('GET') ? [] : ['GET'])]) {
      for (const sender of [nobody, client]) {
        const answer = await sender.send(method, path);
        expect([answer.status, answer.body.code]).toEqual([405, 'method_not_allowed']);
        expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
        expect(allowed(answer.headers)).toEqual([...methods, 'OPTIONS'].toSorted());
      }
    }
  });

  test('lets no other origin in', async () => {
    const origin = { Origin: 'https://elsewhere.example', 'Access-Control-Request-Method': 'POST' };
    for (const method of ['OPTIONS', 'GET', 'POST']) {
      const { headers } = await client.send(method, path, undefined, origin);
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });
});

describe('HEAD', () => {
  test.each(['/v1/events', `/v1/events/${known.id}`, '/healthz'])(
    '%s answers as GET does, without the body',
    async (path) => {
      const [head, get] = [await client.send('HEAD', path), await client.get(path)];
      expect([head.status, head.body]).toEqual([200, '']);
      expect(head.headers.get('Content-Type')).toBe(get.headers.get('Content-Type'));
    },
  );

  test('is refused as GET is', async () => {
    expect((await nobody.send('HEAD', '/v1/events')).status).toBe(401);
    expect((await client.send('HEAD', `/v1/events/${anEvent().id}`)).status).toBe(404);
  });
});

describe('an unknown route', () => {
  test.each([
    '/',
    '/v1',
    '/v1/',
    '/v1/event',
    '/v1/events/',
    '/v2/events',
    '/v1/events/x/y',
    '/healthz/',
    '/%00',
    '/.env',
    '/v1/%ff',
  ])('%s is a 404 problem, for every method and with or without a key', async (path) => {
    for (const sender of [nobody, client]) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await sender.send(method, path);
        expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
        expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
      }
    }
  });
});

describe('X-Request-Id', () => {
  test.each(['abc-123', 'A_b=', 'x'.repeat(255)])('is echoed, in the header and in a problem', async (id) => {
    expect((await client.get('/v1/events', { 'X-Request-Id': id })).headers.get('X-Request-Id')).toBe(id);
    const problem = await nobody.get('/v1/events', { 'X-Request-Id': id });
    expect([problem.headers.get('X-Request-Id'), problem.body.request_id]).toEqual([id, id]);
  });

  test.each(['two words', '<script>', 'x'.repeat(256), ''])('is made anew where it is unfit', async (id) => {
    const answer = await client.get('/v1/events', { 'X-Request-Id': id });
    expect(answer.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('is another for each request', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.get('/healthz')));
    expect(new Set(answers.map(({ headers }) => headers.get('X-Request-Id'))).size).toBe(20);
  });

  test.each(['/nowhere', '/v1/events?limit=0', '/problems/none'])('is on the error of %s', async (path) => {
    const answer = await client.get(path);
    expect(answer.body.request_id).toBe(answer.headers.get('X-Request-Id'));
  });
});

describe('a problem', () => {
  test('has the members of RFC 9457, and its type leads to a page about it', async () => {
    const problems = [
      await nobody.get('/v1/events'),
      await client.post('/v1/events', '{'),
      await client.post('/v1/events', {}),
      await client.post('/v1/events', anEvent(), { 'Content-Type': 'text/plain' }),
      await client.post('/v1/events', 'x'.repeat(70_000)),
      await client.post('/v1/events?ack=committed', { ...known, reason: 'other' }),
      await client.get('/nowhere'),
      await client.send('DELETE', '/v1/events'),
      await client.get('/v1/events?cursor=x'),
    ];
    for (const { status, headers, body } of problems) {
      expect(headers.get('Content-Type')).toBe('application/problem+json');
      expect(body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
      const page = await fetch(body.type);
      expect(page.status).toBe(200);
      expect(await page.text()).toContain(body.code);
    }
    expect(new Set(problems.map(({ body }) => body.code)).size).toBe(problems.length);
  });

  test.each(Object.entries(PROBLEMS))('of code %s has a page', async (code, { status, title }) => {
    const answer = await nobody.get(`/problems/${code}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toContain(`HTTP ${status}`);
    expect(answer.body).toContain(title);
  });

  test.each(['none', 'constructor', '__proto__', 'toString'])('of code %s does not exist', async (code) => {
    expect((await nobody.get(`/problems/${code}`)).status).toBe(404);
  });
});

describe('an answer', () => {
  test('tells a browser nothing it could use', async () => {
    const { headers } = await client.get('/v1/events');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('X-Frame-Options')).toBe('SAMEORIGIN');
    expect(headers.get('X-Powered-By')).toBeNull();
  });

  test('goes out to others though one client hangs up within its body', async () => {
    const broken = request(`${deployment.url}/v1/events`, {
      method: 'POST',
      headers: { 'Content-Length': 1000 },
    });
    const closed = new Promise((resolve) => broken.once('close', resolve).once('error', resolve));
    broken.write('{"action":');
    broken.destroy();
    await closed;
    expect((await client.get('/healthz')).status).toBe(200);
  });
});
