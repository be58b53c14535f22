import { beforeEach, expect, test, vi } from 'vitest';
import { RateLimiter } from './rate-limit.ts';

let now: number;
let success: boolean;
let asked: string[];
let limiter: RateLimiter;

beforeEach(() => {
  now = 1_000_000;
  success = true;
  asked = [];
  const limit = async ({ key }: { key: string }) => {
    asked.push(key);
    return { success };
  };
  limiter = new RateLimiter({ limit }, () => now);
});

/** How many of so many requests pass, one after another. */
async function passing(count: number, key = 'a'): Promise<number> {
  let passed = 0;
  for (let i = 0; i < count; i += 1) passed += Number(await limiter.admits(key));
  return passed;
}

test('one permit of the platform lets 50 requests pass', async () => {
  expect(await passing(50)).toBe(50);
  expect(asked).toEqual(['a']);
  expect(await passing(1)).toBe(1);
  expect(asked).toEqual(['a', 'a']);
});

test('requests that come at once share a permit, and none waits for the answer to another', async () => {
  const admitted = await Promise.all(Array.from({ length: 50 }, () => limiter.admits('a')));
  expect(admitted).not.toContain(false);
  expect(asked).toEqual(['a']);
});

test('a permit is good for 10 seconds', async () => {
  await passing(1);
  now += 9_999;
  await passing(1);
  expect(asked).toHaveLength(1);
  now += 1;
  await passing(1);
  expect(asked).toHaveLength(2);
});

test('a key that is refused is refused for a second without asking, and passes again once it may', async () => {
  await passing(50);
  success = false;
  expect(await passing(20)).toBe(0);
  now += 999;
  expect(await passing(20)).toBe(0);
  expect(asked).toHaveLength(2);
  now += 1;
  expect(await passing(20)).toBe(0);
  expect(asked).toHaveLength(3);
  success = true;
  now += 1000;
  expect(await passing(50)).toBe(50);
  expect(asked).toHaveLength(4);
});

test('after a refusal nobody passes before the platform has said so', async () => {
  success = false;
  await passing(1);
  now += 1000;
  const admitted = await Promise.all(Array.from({ length: 10 }, () => limiter.admits('a')));
  expect(admitted).not.toContain(true);
  expect(asked).toHaveLength(2);
});

test('a key that is refused affects no other', async () => {
  success = false;
  expect(await passing(1, 'a')).toBe(0);
  success = true;
  expect(await passing(1, 'b')).toBe(1);
  expect(await passing(1, 'a')).toBe(0);
});

test('it remembers a thousand keys', async () => {
  for (let i = 0; i < 1001; i += 1) await passing(1, `key ${i}`);
  asked = [];
  await passing(1, 'key 1');
  expect(asked).toEqual([]);
  await passing(1, 'key 0');
  expect(asked).toEqual(['key 0']);
});

test.each([
  ['throws', () => Promise.reject(new TypeError('no such namespace'))],
  ['does not answer', () => new Promise<never>(() => {})],
])('a limiter that %s lets requests pass, and the log says so', async (_, limit) => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const broken = new RateLimiter({ limit }, () => now);
  expect(await broken.admits('a')).toBe(true);
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/^\{"event":"rate_limiter_failed","error":"\w+"\}$/)],
  ]);
  warn.mockRestore();
});
