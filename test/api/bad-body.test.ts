import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { countEvents } from '../support/stored.ts';

const COMMITTED = '/v1/events?ack=committed';

let deployment: Deployment;
let client: Client;
let stored: number;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
});
beforeEach(async () => {
  stored = await countEvents(deployment);
});
afterEach(async () => {
  expect(await countEvents(deployment), 'nothing is stored').toBe(stored);
});
afterAll(() => deployment.close());

/** The text of a valid event but for its metadata, which is put in as it stands. */
function withMetadata(json: string): string {
  return JSON.stringify(anEvent({ metadata: '@' })).replace('"@"', () => json);
}

function nested(levels: number): string {
  return `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
}

const valid = JSON.stringify(anEvent());

describe('a body that is no JSON is malformed_json', () => {
  test.each([
    ['empty', ''],
    ['blank', ' \n'],
    ['words', 'hello'],
    ['cut off', valid.slice(0, -1)],
    ['cut off within a string', valid.slice(0, 20)],
    ['followed by another', `${valid}${valid}`],
    ['with a trailing comma', valid.replace(/\}$/, ',}')],
    ['with single quotes', valid.replaceAll('"', "'")],
    ['with a comment', `${valid} // done`],
    ['NaN', withMetadata('{"a":NaN}')],
    ['Infinity', withMetadata('{"a":-Infinity}')],
    ['with a number of its own kind', withMetadata('{"a":0x10}')],
    ['with leading zeros', withMetadata('{"a":007}')],
    ['with a line feed in a string', withMetadata('{"a":"\n"}')],
    ['with an unknown escape', withMetadata(String.raw`{"a":"\x41"}`)],
    ['nested without end', '['.repeat(60_000)],
    ['a form', 'action=user.logged_in'],
  ])('%s', async (_, body) => {
    const answer = await client.post(COMMITTED, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json']);
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(answer.body.detail).toMatch(/\(at character \d+\)$/);
  });

  test('says where it is broken', async () => {
    const answer = await client.post(COMMITTED, '{"action": user}');
    expect(answer.body.detail).toContain('at character 11');
  });

  test.each([
    ['a stray byte', [0xff]],
    ['a character cut off', [0xe2, 0x82]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate in UTF-8', [0xed, 0xa0, 0x80]],
  ])('that is not UTF-8: %s', async (_, bytes) => {
    const [before, after] = withMetadata('{"a":"@@"}').split('@@');
    const body = Buffer.concat([Buffer.from(before ?? ''), Uint8Array.from(bytes), Buffer.from(after ?? '')]);
    const answer = await client.post(COMMITTED, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json']);
    expect(answer.body.detail).toBe('The body is not valid UTF-8.');
  });

  test('that is UTF-16', async () => {
    const answer = await client.post(COMMITTED, Buffer.from(`\u{feff}${valid}`, 'utf16le'));
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json']);
  });
});

describe('a body of another type than an object is invalid_event', () => {
  test.each(['[]', '"event"', '42', 'true', 'null', `[${valid}]`])('%s', async (body) => {
    const answer = await client.post(COMMITTED, body);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_event']);
    expect(answer.body.errors).toEqual([{ pointer: '', code: 'wrong_type', detail: 'Send a JSON object.' }]);
  });
});

describe('what Postgres or JSON.parse would change is refused at its place', () => {
  test.each([
    ['{"a":"\\u0000"}', '/metadata/a', 'nul_character'],
    ['{"a":["x","y\\u0000z"]}', '/metadata/a/1', 'nul_character'],
    ['{"a\\u0000":1}', '/metadata/a\0', 'nul_character'],
    ['{"a":"\\ud800"}', '/metadata/a', 'lone_surrogate'],
    ['{"a":"\\udc00\\ud800"}', '/metadata/a', 'lone_surrogate'],
    ['{"a":1e999}', '/metadata/a', 'number_out_of_range'],
    ['{"a":{"b":-1e999}}', '/metadata/a/b', 'number_out_of_range'],
    ['{"a":1e-999}', '/metadata/a', 'number_out_of_range'],
    ['{"a":9007199254740993}', '/metadata/a', 'number_precision'],
    ['{"a":[1,-9007199254740992]}', '/metadata/a/1', 'number_precision'],
    ['{"a":9007199254740993.0}', '/metadata/a', 'number_precision'],
    ['{"a":[9007199254740993e0]}', '/metadata/a/0', 'number_precision'],
    ['{"a":90071992547409930e-1}', '/metadata/a', 'number_precision'],
    ['{"a":0.12345678901234567891}', '/metadata/a', 'number_precision'],
    ['{"a":1,"a":2}', '/metadata/a', 'duplicate_name'],
    ['{"a":1,"\\u0061":1}', '/metadata/a', 'duplicate_name'],
    ['{"a/b":{"~":1,"~":1}}', '/metadata/a~1b/~0', 'duplicate_name'],
    ['{"__proto__":1,"__proto__":2}', '/metadata/__proto__', 'duplicate_name'],
  ])('%s', async (metadata, pointer, code) => {
    const answer = await client.post(COMMITTED, withMetadata(metadata));
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_event']);
    expect(answer.body.errors).toEqual([{ pointer, code, detail: expect.any(String) }]);
    expect(answer.body.detail).toBe('Nothing was stored: the event is wrong in one place.');
  });
});

describe('a body that is too deep', () => {
  test.each([
    [32, 'invalid_event', 422],
    [500, 'invalid_event', 422],
    [512, 'invalid_event', 422],
    [9_000, 'invalid_event', 422],
  ])('by metadata of %i levels is %s', async (levels, code, status) => {
    const answer = await client.post(COMMITTED, withMetadata(nested(levels)));
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.body.errors).toMatchObject([
      { code: 'too_deep', pointer: `/metadata${'/a'.repeat(31)}`, detail: expect.stringContaining('32') },
    ]);
  });

  test('is malformed_json only if it is no JSON', async () => {
    const answer = await client.post(COMMITTED, withMetadata(nested(9_000).replace('1', '1]')));
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json']);
    expect(answer.body.detail).toContain('A comma or the end of the object must stand here.');
  });
});

describe('a body that is too large is 413', () => {
  const many = (number: string, count: number) =>
    withMetadata(`{"a":[${Array.from({ length: count }, () => number).join(',')}]}`);
  test.each([
    ['as sent', withMetadata(`{"a":"${'x'.repeat(65_536)}"}`)],
    ['as sent, though blank', `${valid}${' '.repeat(65_536)}`],
    ['in canonical form', many('1e20', 12_000)],
    ['as Postgres would print it', many('1e308', 300)],
    ['as Postgres would print it, close to zero', many('5e-300', 300)],
  ])('%s', async (_, body) => {
    const answer = await client.post(COMMITTED, body);
    expect([answer.status, answer.body.code]).toEqual([413, 'too_large']);
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
  });

  test('without a Content-Length too', async () => {
    const chunk = Buffer.from(' '.repeat(10_000));
    const body = ReadableStream.from(Array.from({ length: 10 }, () => chunk));
    const response = await fetch(`${deployment.url}${COMMITTED}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${await deployment.key()}`, 'Content-Type': 'application/json' },
      body,
      duplex: 'half',
    });
    expect([response.status, await response.json()]).toMatchObject([413, { code: 'too_large' }]);
  });
});

describe('a body of another media type is 415', () => {
  test.each([
    'text/plain',
    'application/x-ndjson',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'json',
    '',
  ])('as "%s"', async (type) => {
    const answer = await client.post(COMMITTED, valid, { 'Content-Type': type });
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
    expect(answer.headers.get('Accept-Post')).toBe('application/json');
  });

  test('when none is given', async () => {
    const response = await fetch(`${deployment.url}${COMMITTED}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${await deployment.key()}` },
      body: new TextEncoder().encode(valid),
    });
    expect([response.status, await response.json()]).toMatchObject([415, { code: 'unsupported_media_type' }]);
  });

  test.each(['gzip', 'br', 'GZIP', 'identity, gzip'])('when it is encoded as %s', async (encoding) => {
    const answer = await client.post(COMMITTED, valid, { 'Content-Encoding': encoding });
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
    expect(answer.body.detail).toContain('Content-Encoding');
  });
});
