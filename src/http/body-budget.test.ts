import { expect, test } from 'vitest';
import { BodyBudget } from './body-budget.ts';

test('one key gets half, and two together the whole', () => {
  const budget = new BodyBudget({ total: 100, perKey: 50 });
  expect(budget.reserve('a', 51)).toBeUndefined();
  expect(budget.reserve('a', 50)).toBeDefined();
  expect(budget.reserve('a', 1)).toBeUndefined();
  expect(budget.reserve('b', 50)).toBeDefined();
  expect(budget.reserve('c', 1)).toBeUndefined();
});

test('what is given back is there again, and only once', () => {
  const budget = new BodyBudget({ total: 100, perKey: 50 });
  const release = budget.reserve('a', 30);
  expect(budget.reserve('a', 20)).toBeDefined();
  release?.();
  release?.();
  expect(budget.reserve('a', 31)).toBeUndefined();
  expect(budget.reserve('a', 30)).toBeDefined();
});

test('a reservation whose request was cancelled ends by itself, and its late release gives nothing back twice', () => {
  let now = 0;
  const budget = new BodyBudget({ total: 100, perKey: 50, lifetime: 1000, now: () => now });
  const first = budget.reserve('a', 40);
  now = 500;
  budget.reserve('a', 10);
  now = 999;
  expect(budget.reserve('a', 1)).toBeUndefined();
  now = 1000;
  expect(budget.reserve('a', 41)).toBeUndefined();
  expect(budget.reserve('a', 40)).toBeDefined();
  first?.();
  expect(budget.reserve('a', 1)).toBeUndefined();
});

test('by default it holds 24 MiB, 12 of them of one key', () => {
  const budget = new BodyBudget();
  const granted = (key: string) =>
    Array.from({ length: 20 }, () => budget.reserve(key, 1024 * 1024)).filter(Boolean).length;
  expect([granted('a'), granted('b'), granted('c')]).toEqual([12, 12, 0]);
});
