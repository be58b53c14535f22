import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeId } from '../../src/events/id.ts';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';

const COUNT = 260;
const PER_MILLISECOND = 4;

let deployment: Deployment;
let client: Client;
/** Ids of the workspace `acme`, oldest first, several of each millisecond. */
const ids: string[] = [];

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
  const start = Date.now() - 60_000;
  for (let index = 0; index < COUNT; index += 1)
    ids.push(makeId(start + Math.floor(index / PER_MILLISECOND)));
  ids.sort();
  // Stored in another order than that of their times.
  const events = ids.toReversed().map((id) => anEvent({ id }));
  expect((await client.post('/v1/events/batch?ack=committed', { events })).status).toBe(201);
});
afterAll(() => deployment.close());

const idsOf = (body: { data: { id: string }[] }) => body.data.map(({ id }) => id);

/** Walks a list to its end by its links. @param between runs after each page */
async function walk(path: string, between?: () => Promise<unknown>): Promise<string[][]> {
  const pages: string[][] = [];
  for (let next: string | undefined = path; next !== undefined;) {
    const { status, body, headers } = await client.get(next);
    expect(status).toBe(200);
    pages.push(idsOf(body));
    const link = headers.get('Link');
    expect(body.has_more).toBe(link !== null);
    expect(body.next_cursor === null).toBe(link === null);
    next = link === null ? undefined : /^<([^>]+)>; rel="next"$/.exec(link)?.[1];
    if (next !== undefined) expect(new URL(next).searchParams.get('cursor')).toBe(body.next_cursor);
    await between?.();
  }
  return pages;
}

describe('a list of events', () => {
  test('begins with the newest, fifty on a page', async () => {
    const answer = await client.get('/v1/events');
    expect(answer.status).toBe(200);
    expect(idsOf(answer.body)).toEqual(ids.toReversed().slice(0, 50));
    expect(answer.body.has_more).toBe(true);
  });

  test('begins with the oldest when asked to', async () => {
    expect(idsOf((await client.get('/v1/events?order=asc')).body)).toEqual(ids.slice(0, 50));
    expect(idsOf((await client.get('/v1/events?order=desc')).body)).toEqual(ids.toReversed().slice(0, 50));
  });

  test.each([1, 7, 200])('has pages of %i events', async (limit) => {
    const answer = await client.get(`/v1/events?limit=${limit}`);
    expect(idsOf(answer.body)).toEqual(ids.toReversed().slice(0, limit));
  });

  test('says that there is no more on its last page, full or not', async () => {
    for (const limit of [COUNT / 2, COUNT / 2 + 1]) {
      const pages = await walk(`/v1/events?limit=${limit}`);
      expect(pages.map((page) => page.length)).toEqual([limit, COUNT - limit]);
    }
  });

  test('is empty where nothing matches', async () => {
    const answer = await client.get('/v1/events?actor_id=nobody');
    expect(answer.body).toEqual({ data: [], has_more: false, next_cursor: null });
    expect(answer.headers.get('Link')).toBeNull();
  });
});

describe('a walk by cursor', () => {
  test.each(['desc', 'asc'])(
    'meets every event exactly once in order %s, though a page ends within a millisecond',
    async (order) => {
      const pages = await walk(`/v1/events?order=${order}&limit=7`);
      expect(pages.flat()).toEqual(order === 'asc' ? ids : ids.toReversed());
    },
  );

  test('with the newest first misses and repeats nothing while new events arrive', async () => {
    const writer = clientOf(deployment, await deployment.key());
    const pages = await walk('/v1/events?limit=20&action=user.logged_in', () =>
      writer.post('/v1/events?ack=committed', anEvent()),
    );
    expect(pages.flat()).toEqual(ids.toReversed());
  });

  test('with the oldest first misses and repeats nothing while new events arrive, and meets those too', async () => {
    const writer = clientOf(deployment, await deployment.key());
    const added: string[] = [];
    const seen = (
      await walk('/v1/events?order=asc&limit=50', async () => {
        if (added.length >= 3) return;
        const event = anEvent();
        added.push(event.id);
        expect((await writer.post('/v1/events?ack=committed', event)).status).toBe(201);
      })
    ).flat();
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.slice(0, COUNT)).toEqual(ids);
    expect(seen.slice(-3)).toEqual(added);
  });
});

describe('a cursor', () => {
  async function cursorOf(path: string): Promise<string> {
    return encodeURIComponent((await client.get(path)).body.next_cursor);
  }

  test('goes on with another page size', async () => {
    const cursor = await cursorOf('/v1/events?order=asc&limit=3');
    expect(idsOf((await client.get(`/v1/events?order=asc&limit=5&cursor=${cursor}`)).body)).toEqual(
      ids.slice(3, 8),
    );
  });

  test.each([
    '/v1/events?order=asc',
    '/v1/events?actor_id=u_1',
    '/v1/events?action=user.*',
    '/v1/events?from=2026-01-01T00:00:00Z',
    '/v1/events?to=2126-01-01T00:00:00Z',
    '/v1/events?target_type=session',
  ])('of the plain list does not go on with %s', async (path) => {
    const cursor = await cursorOf('/v1/events?limit=3');
    const answer = await client.get(`${path}&limit=3&cursor=${cursor}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_cursor']);
    const back = await cursorOf(`${path}&limit=3`);
    expect((await client.get(`/v1/events?limit=3&cursor=${back}`)).body.code).toBe('invalid_cursor');
  });

  test('of one workspace does not go on in another', async () => {
    const both = clientOf(deployment, await deployment.key({ workspaces: ['acme', 'globex'] }));
    const { next_cursor: cursor } = (await both.get('/v1/events?workspace_id=acme&limit=3')).body;
    const answer = await both.get(`/v1/events?workspace_id=globex&limit=3&cursor=${cursor}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_cursor']);
    const other = clientOf(deployment, await deployment.key({ workspaces: ['globex'] }));
    expect((await other.get(`/v1/events?limit=3&cursor=${cursor}`)).body.code).toBe('invalid_cursor');
  });

  test('with a place in it that no list has is refused', async () => {
    const cursor: string = (await client.get('/v1/events?limit=3')).body.next_cursor;
    const text = Buffer.from(cursor, 'base64url').toString();
    for (const id of ['ffffffff-ffff-7fff-bfff-ffffffffffff', 'nowhere', "' OR true --"]) {
      const changed = Buffer.from(text.replace(/[0-9a-f-]{36}/, id)).toString('base64url');
      expect(changed).not.toBe(cursor);
      const answer = await client.get(`/v1/events?limit=3&cursor=${changed}`);
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_cursor']);
    }
  });

  test.each([
    'x',
    '',
    '%00',
    'W10',
    'bnVsbA',
    '%7B%7D',
    btoa('["018f3c2e-7b1a-7c3d-9e8f-1a2b3c4d5e6f","x"]'),
    'a'.repeat(5000),
  ])('that was never given out is refused: %s', async (cursor) => {
    const answer = await client.get(`/v1/events?cursor=${cursor}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_cursor']);
  });
});

describe('a page of large events', () => {
  test('is cut by bytes, and the walk still meets each once', async () => {
    const large = clientOf(deployment, await deployment.key({ workspaces: ['large'] }));
    const text = 'x'.repeat(60 * 1024);
    const sent: string[] = [];
    for (let batch = 0; batch < 3; batch += 1) {
      const events = Array.from({ length: 60 }, () => anEvent({ metadata: { text } }));
      sent.push(...events.map(({ id }) => id));
      expect((await large.post('/v1/events/batch?ack=committed', { events })).status).toBe(201);
    }
    for (const order of ['desc', 'asc']) {
      const seen: string[] = [];
      let pages = 0;
      for (let cursor = ''; ; pages += 1) {
        const { status, body } = await large.get(`/v1/events?limit=200&order=${order}${cursor}`);
        expect(status).toBe(200);
        expect(JSON.stringify(body).length).toBeLessThan(5 * 1024 * 1024);
        seen.push(...idsOf(body));
        if (!body.has_more) break;
        cursor = `&cursor=${body.next_cursor}`;
      }
      expect(pages).toBeGreaterThanOrEqual(2);
      expect(seen).toEqual(order === 'asc' ? sent.toSorted() : sent.toSorted().toReversed());
    }
  });
});
