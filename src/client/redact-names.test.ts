import { describe, expect, test } from 'vitest';
import { redactNames } from './redact-names.ts';

const REDACTED = '[redacted]';
const inMetadata = (metadata: unknown) => redactNames({ metadata })['metadata'];

describe('what leaves the process', () => {
  test.each<[string, unknown, unknown]>([
    ['a list under the name of a secret', { tokens: ['a', 'b'] }, { tokens: REDACTED }],
    ['an object under the name of a secret', { credentials: { user: 'u' } }, { credentials: REDACTED }],
    ['a number that may be a secret', { token: 482_913 }, { token: REDACTED }],
    ['a number under a name that is surely one', { pin: 7 }, { pin: REDACTED }],
    [
      'what JSON within a text holds',
      { body: '{"a":[{"apiKey":"k"}],"b":"{\\"pin\\":7}"}' },
      { body: '{"a":[{"apiKey":"[redacted]"}],"b":"{\\"pin\\":\\"[redacted]\\"}"}' },
    ],
    ['what lies deeper', [{ a: { apiKey: ['k'] } }], [{ a: { apiKey: REDACTED } }]],
  ])('has lost %s', (_what, before, after) => {
    expect(inMetadata(before)).toEqual(after);
  });

  test.each<[string, unknown]>([
    ['numbers that count secrets', { tokens: 5120, token: 5, token_count: 5_000_000 }],
    ['what says whether there is a secret', { password: true, secret: null, has_password: 'yes' }],
    ['lists and objects without anything in them', { tokens: [], credentials: {} }],
    [
      'JSON within a text as it was written',
      { body: '{ "n": 1.0 }', broken: '{"password":', deep: '['.repeat(99_999) },
    ],
    ['all that has another name', { plan: 'pro', list: ['a', 1, null], deep: { er: [{ x: 'y' }] } }],
  ])('has kept %s', (_what, value) => {
    expect(inMetadata(structuredClone(value))).toEqual(value);
  });

  test.each([[{ id: 'smtp_password' }], [{ id: 's_1', name: 'smtpPassword' }]])(
    'has lost the values of a setting that is named as a secret: %j',
    (named) => {
      const target = { type: 'settings', ...named };
      const event = { target, metadata: { by: 'api' }, old_value: 'before', new_value: 12_345 };
      expect(redactNames(event)).toEqual({
        ...event,
        old_value: REDACTED,
        new_value: REDACTED,
      });
    },
  );

  test('has kept what an object with the name of a secret consists of, and a value that is not there', () => {
    const event = { target: { type: 'key', id: 'api_key' }, old_value: { plan: 'free' } };
    expect(redactNames(structuredClone(event))).toEqual(event);
    expect(JSON.stringify(redactNames({ target: event.target }))).toBe(
      JSON.stringify({ target: event.target }),
    );
  });

  test.each([[undefined], [null], ['text'], [5]])('may have a target that is none: %s', (target) => {
    expect(redactNames({ target, metadata: { password: 'p' } })).toEqual({
      target,
      metadata: { password: REDACTED },
      old_value: undefined,
      new_value: undefined,
    });
  });
});
