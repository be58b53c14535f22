import { expect, test } from 'vitest';
import { exposition } from './exposition.ts';

test('writes each gauge with its help, its type and its samples', () => {
  const samples = [{ labels: { table: 'events', kind: 'a' }, value: 1.5 }, { value: 0 }];
  expect(exposition([{ name: 'a_seconds', help: 'An a.', samples }])).toBe(
    '# HELP daybook_a_seconds An a.\n# TYPE daybook_a_seconds gauge\n' +
      'daybook_a_seconds{table="events",kind="a"} 1.5\ndaybook_a_seconds 0\n',
  );
});

test('escapes what would end a label or a line', () => {
  const samples = [{ labels: { table: 'a"b\\c\nd' }, value: 1 }];
  const text = exposition([{ name: 'a', help: 'One\\two\nthree "four".', samples }]);
  expect(text).toContain('daybook_a{table="a\\"b\\\\c\\nd"} 1\n');
  expect(text).toContain('# HELP daybook_a One\\\\two\\nthree "four".\n');
});

test.each([
  [Infinity, '+Inf'],
  [-Infinity, '-Inf'],
  [Number.NaN, 'NaN'],
  [1e21, '1e+21'],
])('writes %d as Prometheus reads it', (value, text) => {
  expect(exposition([{ name: 'a', help: 'A.', samples: [{ value }] }])).toContain(`daybook_a ${text}\n`);
});

test('leaves out a gauge that nothing is known of', () => {
  expect(exposition([{ name: 'a', help: 'A.', samples: [] }])).toBe('');
});
