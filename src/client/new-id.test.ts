import { expect, test } from 'vitest';
import { isId, timeOf } from '../events/id.ts';
import { newId } from './new-id.ts';

test('each id is a UUIDv7 of now, and another', () => {
  const before = Date.now();
  const ids = Array.from({ length: 10_000 }, newId);
  const after = Date.now();
  expect(ids.filter((id) => !isId(id))).toEqual([]);
  expect(ids.filter((id) => timeOf(id) < before || timeOf(id) > after)).toEqual([]);
  expect(new Set(ids).size).toBe(10_000);
});
