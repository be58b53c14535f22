import { expect, it } from 'vitest';
import { nearestName, nearestNames } from './nearest.ts';

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
