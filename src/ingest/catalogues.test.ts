import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Sql } from '../db/client.ts';
import { Catalogues } from './catalogues.ts';

const MINUTE = 60_000;
const waitUntil = () => {};

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

/** As `audit.strict_workspaces` and `audit.catalogues` answer; `late` holds answers up for a second. */
function source(strict: Record<string, { actions: string[]; target_types: string[] }>) {
  const state = { strict, late: false, asked: [] as string[][] };
  const query = async (text: string, [ids = []]: string[][]) => {
    if (state.late) await new Promise((resolve) => setTimeout(resolve, 1000));
    if (text.includes('strict_workspaces')) return Object.keys(state.strict).map((id) => ({ id }));
    state.asked.push(ids);
    return [{ answer: Object.fromEntries(Object.entries(state.strict).filter(([id]) => ids.includes(id))) }];
  };
  // Of the driver only this is called.
  return { state, catalogues: new Catalogues({ query } as unknown as Sql) };
}
const one = (...actions: string[]) => ({ acme: { actions, target_types: ['task'] } });
const acme = new Set(['acme']);

test('terms that are older than a minute refuse nothing: what is read anew too late, the database decides', async () => {
  const { state, catalogues } = source(one('a'));
  expect((await catalogues.of(acme, waitUntil)).has('acme')).toBe(true);
  vi.advanceTimersByTime(180 * MINUTE);
  state.late = true;
  const asked = catalogues.of(acme, waitUntil);
  await vi.advanceTimersByTimeAsync(500);
  expect(await asked).toEqual(new Map());
});

test('before a refusal, terms of a few seconds ago are read again, and once in that time', async () => {
  const { state, catalogues } = source(one('a'));
  await catalogues.of(acme, waitUntil);
  state.strict = one('a', 'b');
  vi.advanceTimersByTime(5001);
  expect([...((await catalogues.of(acme, waitUntil)).get('acme')?.actions ?? [])]).toEqual(['a']);
  for (let request = 0; request < 3; request += 1)
    expect([...((await catalogues.again(acme, waitUntil)).get('acme')?.actions ?? [])]).toEqual(['a', 'b']);
  expect(state.asked).toHaveLength(2);
});

test('a workspace that is open since refuses nothing', async () => {
  const { state, catalogues } = source(one('a'));
  await catalogues.of(acme, waitUntil);
  state.strict = {};
  vi.advanceTimersByTime(5001);
  expect(await catalogues.again(acme, waitUntil)).toEqual(new Map());
});

test('the terms of all workspaces of a request are asked for in one call', async () => {
  const ids = Array.from({ length: 500 }, (_, n) => `w${n}`);
  const { state, catalogues } = source(
    Object.fromEntries(ids.map((id) => [id, { actions: [id], target_types: [] }])),
  );
  const found = await catalogues.of(new Set(ids), waitUntil);
  expect(state.asked).toEqual([ids]);
  expect([...(found.get('w7')?.actions ?? [])]).toEqual(['w7']);
});

test('terms are kept as long as their names take little memory, those asked for last', async () => {
  const name = 'x'.repeat(1024 * 1024);
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const { state, catalogues } = source(
    Object.fromEntries(ids.map((id) => [id, { actions: [name], target_types: [] }])),
  );
  for (const id of ids) await catalogues.of(new Set([id]), waitUntil);
  for (const id of ['e', 'd', 'c', 'b', 'a']) await catalogues.of(new Set([id]), waitUntil);
  expect(state.asked.map(([id]) => id)).toEqual([...ids, 'a']);
});
