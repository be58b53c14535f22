import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Endpoint, startEndpoint } from './endpoint.ts';
import { ComputeUnreachable, ConnectionLost, PostgresError, ResultTooLarge } from './engine-errors.ts';
import { postStub, StubEngine, stubConnectionString, stubResult } from '../../test/support/stub-engine.ts';

function withConnection(headers: Record<string, string>): RequestInit {
  return { headers: { 'Neon-Connection-String': stubConnectionString, ...headers } };
}

describe('the endpoint', () => {
  let engine: StubEngine;
  let endpoint: Endpoint;

  beforeAll(async () => {
    endpoint = await startEndpoint({
      engine: { run: (...args) => engine.run(...args), close: () => Promise.resolve() },
      maxRequestBytes: 1000,
      maxResponseBytes: 500,
    });
  });
  beforeEach(() => {
    engine = new StubEngine();
  });
  afterAll(() => endpoint.close());

  async function message(init: RequestInit): Promise<[number, string]> {
    const response = await postStub(endpoint.url, init);
    const body = (await response.json()) as { message: string };
    return [response.status, body.message];
  }

  test.each([
    ['GET', '/sql'],
    ['PUT', '/sql'],
    ['POST', '/'],
    ['POST', '/sql/'],
    ['OPTIONS', '/'],
  ])('does not support %s %s', async (method, path) => {
    const response = await fetch(new URL(path, endpoint.url), { method });
    expect([response.status, await response.json()]).toEqual([400, 'query is not supported']);
    expect(engine.runs).toEqual([]);
  });

  test('answers preflight requests', async () => {
    const response = await fetch(endpoint.url, { method: 'OPTIONS' });
    expect(response.status).toBe(200);
    expect(response.headers.get('allow')).toBe('OPTIONS, POST');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-headers')).toContain('Neon-Connection-String');
  });

  test.each([
    [undefined, 'invalid header: neon-connection-string'],
    ['no url', 'invalid connection string'],
    ['mysql://user:password@host/database', 'incorrect scheme'],
    ['postgres://user:password@host', 'missing database name'],
    ['postgres://:password@host/database', 'missing username'],
    ['postgres://user@host/database', 'missing authentication credentials: required password'],
    ['postgres://user:%zz@host/database', 'invalid connection string'],
  ])('turns the connection string %j down', async (header, reason) => {
    const headers: Record<string, string> = header === undefined ? {} : { 'Neon-Connection-String': header };
    expect(await message({ headers })).toEqual([400, reason]);
  });

  test('decodes user, password and database and ignores the rest of the connection string', async () => {
    const header = 'postgresql://a%20b:p%40%2F:@127.0.0.1:1/d%20b?sslmode=require&user=x';
    await postStub(endpoint.url, { headers: { 'Neon-Connection-String': header } });
    expect(engine.runs[0]?.credentials).toEqual({ user: 'a b', password: 'p@/:', database: 'd b' });
  });

  test.each(['serializable', 'READ COMMITTED', ''])('knows no isolation level %j', async (level) => {
    expect(await message(withConnection({ 'Neon-Batch-Isolation-Level': level }))).toEqual([
      400,
      'invalid isolation level',
    ]);
  });

  test.each(['TRUE', '1', 'yes', 'true,true'])('does not take %j for a flag that is set', async (flag) => {
    const headers = { 'Neon-Raw-Text-Output': flag, 'Neon-Array-Mode': flag };
    const response = await postStub(endpoint.url, withConnection(headers));
    expect(await response.json()).toMatchObject({ rowAsArray: false, rows: [{ a: 1 }] });
  });

  const noMatch = 'data did not match any variant of untagged enum Payload';

  test.each([
    ['{', expect.any(String)],
    ['[]', noMatch],
    ['{}', noMatch],
    ['{"query": 1}', noMatch],
    ['{"query": "", "params": null}', noMatch],
    ['{"query": "", "arrayMode": "true"}', noMatch],
    ['{"queries": [{}]}', noMatch],
  ])('cannot read the body %j', async (body, reason) => {
    const [status, text] = await message({ body });
    expect(status).toBe(400);
    const [, prefix, rest] = /^(could not parse the HTTP request body: )(.*)$/s.exec(text) ?? [];
    expect([prefix, rest]).toEqual(['could not parse the HTTP request body: ', reason]);
  });

  test('takes no query with a zero byte, which would cut it short', async () => {
    const body = JSON.stringify({ query: 'select 1\0' });
    expect(await message({ body })).toEqual([400, 'string contains embedded null']);
  });

  test('takes no request that is too large', async () => {
    const body = JSON.stringify({ query: 'x'.repeat(1000) });
    expect(await message({ body })).toEqual([413, 'request is too large (max is 1000 bytes)']);
    expect(engine.runs).toEqual([]);
  });

  test('gives no answer that is too large, be it found by the engine or here', async () => {
    const answer = [507, 'response is too large (max is 500 bytes)'];
    engine.answer = () => Promise.reject(new ResultTooLarge('rows'));
    expect(await message({})).toEqual(answer);
    engine.answer = () => Promise.resolve([{ ...stubResult, rows: [['"'.repeat(300)]] }]);
    expect(await message(withConnection({ 'Neon-Raw-Text-Output': 'true' }))).toEqual(answer);
  });

  test.each([
    [new ComputeUnreachable('asleep'), 500, { message: 'asleep', code: '', severity: '' }],
    [new ConnectionLost('connection closed'), 400, { message: 'connection closed', code: '', severity: '' }],
    [
      new PostgresError({ message: 'no', severity: 'ERROR', code: '42501', hint: 'ask' }),
      400,
      { message: 'no', severity: 'ERROR', code: '42501', hint: 'ask' },
    ],
  ])('answers %s with status %i', async (failure, status, fields) => {
    engine.answer = () => Promise.reject(failure);
    const response = await postStub(endpoint.url);
    const absent =
      'detail hint position internalPosition internalQuery where table column schema dataType constraint';
    const names = `${absent} file line routine`.split(' ');
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      ...Object.fromEntries(names.map((name) => [name, null])),
      ...fields,
    });
  });
});
