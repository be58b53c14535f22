import { describe, expect, test } from 'vitest';
import { canonicalIp } from '../events/ip.ts';
import { checked, contextOf, type AddressOptions } from './request.ts';

function context(headers: Record<string, string>, peer?: string, options: AddressOptions = {}) {
  const given = new Headers(headers);
  return contextOf((name) => given.get(name), peer, options);
}

describe('the address of a client', () => {
  const forged = { 'X-Forwarded-For': '198.51.100.1', 'CF-Connecting-IP': '198.51.100.2' };

  test.each<[string, Record<string, string>, string | undefined, AddressOptions, string | undefined]>([
    ['is that of the connection, whatever the headers say', forged, '192.0.2.1', {}, '192.0.2.1'],
    ['is unknown where the connection tells none', forged, undefined, {}, undefined],
    [
      'is in the header that the platform sets',
      forged,
      '192.0.2.1',
      { ipHeader: 'cf-connecting-ip' },
      '198.51.100.2',
    ],
    ['is unknown where that header is missing', {}, '192.0.2.1', { ipHeader: 'X-Real-IP' }, undefined],
    [
      'is what the last proxy saw, not what the client claims',
      { 'X-Forwarded-For': '203.0.113.66, 198.51.100.7' },
      '10.0.0.1',
      { trustedProxies: 1 },
      '198.51.100.7',
    ],
    [
      'is what the first of two proxies saw',
      { 'X-Forwarded-For': '203.0.113.66, 198.51.100.7,10.0.0.2' },
      '10.0.0.1',
      { trustedProxies: 2 },
      '198.51.100.7',
    ],
    [
      'is that of the connection where no proxy was passed',
      {},
      '192.0.2.1',
      { trustedProxies: 1 },
      '192.0.2.1',
    ],
    ['stands without its port', { ip: '192.0.2.1:4711' }, undefined, { ipHeader: 'ip' }, '192.0.2.1'],
    ['stands without brackets', { ip: '[2001:db8::1]:443' }, undefined, { ipHeader: 'ip' }, '2001:db8::1'],
    ['stands without its zone', {}, 'fe80::1%eth0', {}, 'fe80::1'],
    ['may be an IPv4 address in the form of IPv6', {}, '::ffff:192.0.2.1', {}, '::ffff:192.0.2.1'],
  ])('%s', (_what, headers, peer, options, expected) => {
    expect(context(headers, peer, options).ip_address).toBe(expected);
  });

  test.each([
    'unknown',
    '',
    '1.2.3',
    '256.1.1.1',
    '1.2.3.4.5',
    '::g',
    ':::',
    'a'.repeat(10_000),
    '192.0.2.1, 192.0.2.2',
  ])('that is none is left out, for the event must not fail on it: %s', (text) => {
    expect(context({ ip: text }, undefined, { ipHeader: 'ip' }).ip_address).toBeUndefined();
  });
});

test('the user agent and the request id are cut to what an event may hold', () => {
  const long = 'x'.repeat(5000);
  const { user_agent, request_id } = context({ 'User-Agent': long, 'X-Request-Id': long });
  expect([user_agent?.length, request_id?.length]).toEqual([2048, 255]);
  expect(context({}).user_agent).toBeUndefined();
  expect(context({ 'X-Request-Id': '' }).request_id).toBeUndefined();
});

test('a cut parts no character', () => {
  const { user_agent, request_id } = contextOf(
    (name) => 'x'.repeat(name === 'User-Agent' ? 2047 : 254) + '😀',
    undefined,
    {},
  );
  expect([user_agent?.isWellFormed(), request_id?.isWellFormed()]).toEqual([true, true]);
});

test.each<AddressOptions>([
  { trustedProxies: Number.NaN },
  { trustedProxies: 0.5 },
  { trustedProxies: -1 },
  { ipHeader: '' },
  { ipHeader: 'X Real IP' },
])('options that would trust anybody or fail with each request are refused at once: %o', (options) => {
  expect(() => checked(options)).toThrow(TypeError);
});

test('what is taken for an address, Daybook takes too', () => {
  const parts = ['', '1', ':', '::', '.', '1.2.3.4', 'ffff', '0', '255', '01', '12345', 'g'];
  const texts = parts.flatMap((a) => parts.flatMap((b) => parts.map((c) => a + b + c)));
  const taken = texts.flatMap((text) => context({}, text).ip_address ?? []);
  expect(taken.filter((text) => canonicalIp(text) === undefined)).toEqual([]);
  expect(taken.length).toBeGreaterThan(50);
});
