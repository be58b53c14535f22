import { expect, test } from 'vitest';
import { isId, timeOf } from '../events/id.ts';
import { newId } from './new-id.ts';

test('each id is a UUIDv7 of now, and sorts behind those before it', () => {
  const before = Date.now();
  const ids = Array.from({ length: 10_000 }, newId);
  const after = Date.now();
  expect(ids.filter((id) => !isId(id))).toEqual([]);
  expect(ids.filter((id) => timeOf(id) < before || timeOf(id) > after)).toEqual([]);
  expect(new Set(ids).size).toBe(10_000);
  // More than the counter has room for is not made in a millisecond.
  expect(ids.slice(0, 1000).toSorted()).toEqual(ids.slice(0, 1000));
});
