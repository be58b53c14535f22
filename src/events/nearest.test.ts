import { expect, it } from 'vitest';
import { editDistance, nearestName, nearestNames } from './nearest.ts';

const known = ['action', 'occurred_at', 'actor', 'ip_address', 'user_agent', 'id'];

it.each([
  ['acton', 'action'],
  ['occuredAt', 'occurred_at'],
  ['userAgent', 'user_agent'],
  ['ip', 'ip_address'],
  ['Actor', 'actor'],
  ['colour', undefined],
  ['__proto__', undefined],
  ['x'.repeat(1_000_000), undefined],
])('a field named %.20s is most likely %s', (name, expected) => {
  expect(nearestName(name, known)).toBe(expected);
});

it.each([
  ['login', ['LOGIN', 'LOGIN_FAILED']],
  ['LOGUOT', ['LOGOUT']],
  ['Export.Start', ['EXPORT_START']],
  ['launch', []],
])('an action named %s may stand for %j', (name, expected) => {
  expect(nearestNames(name, ['LOGOUT', 'LOGIN_FAILED', 'LOGIN', 'EXPORT_START'])).toEqual(expected);
});

/** Counts how often a character is looked at. */
function counted(text: string) {
  const looks = { count: 0, text: Array.from(text) };
  const read = (target: string[], key: string | symbol) => {
    if (key !== 'length') looks.count += 1;
    return Reflect.get(target, key) as unknown;
  };
  looks.text = new Proxy(looks.text, { get: read });
  return looks;
}

it.each([
  ['of another length', 'z'.repeat(64), 'a'.repeat(67), 0],
  ['with nothing in common', 'z'.repeat(64), 'a'.repeat(64), 3 * 64],
])('two names %s are not compared to their ends', (_what, a, b, most) => {
  const looks = counted(a);
  expect(editDistance(looks.text, b, 2)).toBe(Infinity);
  expect(looks.count).toBeLessThanOrEqual(most);
});
