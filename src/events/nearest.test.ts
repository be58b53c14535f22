import fc from 'fast-check';
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
  ['with nothing in common', 'z'.repeat(64), 'a'.repeat(64), 3 * 5],
  ['that differ at their ends', `${'a'.repeat(60)}zzz`, `${'a'.repeat(60)}bcd`, 63 * 5],
])('two names %s cost few comparisons', (_what, a, b, most) => {
  const looks = counted(a);
  expect(editDistance(looks.text, b, 2)).toBe(Infinity);
  expect(looks.count).toBeLessThanOrEqual(most);
});

it('the distance is that of the whole table, as far as it is asked for', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
  fc.assert(
    fc.property(name, name, fc.integer({ min: 0, max: 4 }), (a, b, most) => {
      const whole = distance(a, b);
      const found = editDistance(a, b, most);
      expect(found <= most ? found : Infinity).toBe(whole <= most ? whole : Infinity);
    }),
  );
});

/** As it is defined. */
function distance(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const swap = distance(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1);
  return Math.min(swap, distance(a.slice(1), b) + 1, distance(a, b.slice(1)) + 1);
}
