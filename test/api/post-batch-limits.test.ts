import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { countEvents } from '../support/stored.ts';

const COMMITTED = '/v1/events/batch?ack=committed';
const MIB = 1024 * 1024;

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

const JSON_TYPE = 'application/json';
const NDJSON = 'application/x-ndjson';

/** A batch of events as a body of either media type. */
function body(type: string, events: unknown[]): string {
  return type === NDJSON
    ? events.map((event) => JSON.stringify(event)).join('\n')
    : JSON.stringify({ events });
}

async function post(type: string, text: string) {
  return client.post(COMMITTED, text, { 'Content-Type': type });
}

describe.each([JSON_TYPE, NDJSON])('a batch of type %s', (type) => {
  test('may have 1,000 events', async () => {
    const count = await countEvents(deployment);
    const answer = await post(
      type,
      body(
        type,
        Array.from({ length: 1000 }, () => anEvent()),
      ),
    );
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ accepted: 1000, rejected: 0 });
    expect(await countEvents(deployment)).toBe(count + 1000);
  });

  test('of 1,001 events is refused, and none of them is stored', async () => {
    const count = await countEvents(deployment);
    const answer = await post(
      type,
      body(
        type,
        Array.from({ length: 1001 }, () => anEvent()),
      ),
    );
    expect([answer.status, answer.body.code]).toEqual([413, 'too_many_events']);
    expect(answer.body.detail).toContain('1001');
    expect(await countEvents(deployment)).toBe(count);
  });

  test('may have 4 MiB', async () => {
    const events = Array.from({ length: 65 }, () => anEvent({ metadata: { text: 'x'.repeat(64_000) } }));
    const text = body(type, events);
    const answer = await post(type, `${text}\n${' '.repeat(4 * MIB - text.length - 1)}`);
    expect(answer.status).toBe(201);
    expect(answer.body.accepted).toBe(65);
  });

  test('of quotes that fill a call of the database is stored, or refused as a whole where it is atomic', async () => {
    const count = await countEvents(deployment);
    const text = '"'.repeat(26_000);
    const events = Array.from({ length: 78 }, () => anEvent({ metadata: { text } }));
    const atomic = await client.post('/v1/events/batch?atomic=true', body(type, events), {
      'Content-Type': type,
    });
    expect([atomic.status, atomic.body.code]).toEqual([413, 'too_large']);
    expect(await countEvents(deployment)).toBe(count);
    const answer = await post(type, body(type, events));
    expect([answer.status, answer.body.accepted]).toEqual([201, 78]);
    expect(await countEvents(deployment)).toBe(count + 78);
  });

  test('of more than 4 MiB is refused, and nothing of it is stored', async () => {
    const count = await countEvents(deployment);
    const text = body(type, [anEvent()]);
    const answer = await post(type, `${text}${' '.repeat(4 * MIB + 1 - text.length)}`);
    expect([answer.status, answer.body.code]).toEqual([413, 'too_large']);
    expect(await countEvents(deployment)).toBe(count);
  });

  test('refuses one event of more than 64 KiB and stores the others', async () => {
    const large = anEvent({ metadata: { text: 'x'.repeat(66_000) } });
    const answer = await post(type, body(type, [anEvent(), large, anEvent()]));
    expect(answer.status).toBe(207);
    expect(answer.body.results).toMatchObject([
      { result: 'committed' },
      { result: 'rejected', problem: { code: 'too_large', status: 413 } },
      { result: 'committed' },
    ]);
  });

  test('without events is refused', async () => {
    const answer = await post(type, body(type, []));
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_batch']);
    expect(answer.body.errors).toMatchObject([{ pointer: '/events', code: 'too_short' }]);
  });

  test('that is large only when written out is refused event by event', async () => {
    const numbers = `[${Array.from({ length: 12_000 }, () => '1e20').join(',')}]`;
    const large = JSON.stringify(anEvent({ metadata: { numbers: 0 } })).replace(
      '"numbers":0',
      `"numbers":${numbers}`,
    );
    const answer = await post(type, type === NDJSON ? large : `{"events":[${large}]}`);
    expect(answer.status).toBe(422);
    expect(answer.body.results).toMatchObject([{ problem: { code: 'too_large' } }]);
  });
});

test('a batch that would take too much memory to read is refused, and may be sent in parts', async () => {
  const empty = (count: number) => anEvent({ metadata: { list: Array.from({ length: count }, () => ({})) } });
  const count = await countEvents(deployment);
  const answer = await post(
    JSON_TYPE,
    body(
      JSON_TYPE,
      Array.from({ length: 20 }, () => empty(18_000)),
    ),
  );
  expect([answer.status, answer.body.code]).toEqual([413, 'too_large']);
  expect(await countEvents(deployment)).toBe(count);
  expect((await post(JSON_TYPE, body(JSON_TYPE, [empty(18_000)]))).status).toBe(201);
});

describe('a batch as JSON', () => {
  test.each([
    ['an array', '[]', 422, '/events', 'required'],
    ['null', 'null', 422, '/events', 'required'],
    ['a string', '"events"', 422, '/events', 'required'],
    ['without events', '{}', 422, '/events', 'required'],
    ['with events that are no array', '{"events": {}}', 422, '/events', 'required'],
    ['with another field', '{"events": [{}], "atomic": true}', 422, '/atomic', 'unknown_field'],
    ['with a field of an odd name', '{"events": [{}], "a/b~": 1}', 422, '/a~1b~0', 'unknown_field'],
    ['with a field called __proto__', '{"events": [{}], "__proto__": 1}', 422, '/__proto__', 'unknown_field'],
    ['with events twice', '{"events": [{}], "events": [{}]}', 422, '/events', 'duplicate_name'],
  ])('is refused as %s', async (_, text, status, pointer, code) => {
    const answer = await post(JSON_TYPE, text);
    expect([answer.status, answer.body.code]).toEqual([status, 'invalid_batch']);
    expect(answer.body.errors).toMatchObject([{ pointer, code }]);
  });

  test.each(['{"events": [', '{"events": [{}]}{}', '', '{"events": [{]}'])(
    'is refused when broken: %s',
    async (text) => {
      const answer = await post(JSON_TYPE, text);
      expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json']);
    },
  );

  test('holds an event with a name sent twice against that event only', async () => {
    const twice = JSON.stringify(anEvent()).replace('{', '{"reason":"a","reason":"b",');
    const answer = await post(JSON_TYPE, `{"events":[${JSON.stringify(anEvent())},${twice}]}`);
    expect(answer.status).toBe(207);
    expect(answer.body.results).toMatchObject([
      { result: 'committed' },
      { problem: { code: 'invalid_event', errors: [{ pointer: '/reason', code: 'duplicate_name' }] } },
    ]);
  });

  test.each(['text/plain', 'application/jsonl', ''])(
    'is refused with the content type "%s"',
    async (type) => {
      const answer = await post(type, body(JSON_TYPE, [anEvent()]));
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
      expect(answer.headers.get('Accept-Post')).toBe('application/json, application/x-ndjson');
    },
  );
});
