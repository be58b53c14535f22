import { beforeEach, expect, test, vi } from 'vitest';
import { RateLimiter } from './rate-limit.ts';

let now: number;
/** how many more the platform lets pass, of each limiter */
let left: { singles: number; lots: number };
let asked: string[];
let limiter: RateLimiter;

beforeEach(() => {
  now = 1_000_000;
  left = { singles: Infinity, lots: Infinity };
  asked = [];
  const counting = (name: 'singles' | 'lots') => ({
    limit: async ({ key }: { key: string }) => {
      asked.push(`${name} ${key}`);
      left[name] -= 1;
      return { success: left[name] >= 0 };
    },
  });
  limiter = new RateLimiter(counting('singles'), counting('lots'), () => now);
});

/** How many of so many requests pass, one after another. */
async function passing(count: number, key = 'a'): Promise<number> {
  let passed = 0;
  for (let i = 0; i < count; i += 1) passed += Number(await limiter.admits(key));
  return passed;
}

test('the first requests of a key are counted one by one, so that a low limit is kept to', async () => {
  left.singles = 5;
  expect(await passing(100)).toBe(5);
  expect(asked).toEqual(Array.from({ length: 6 }, () => 'singles a'));
});

test('those of a busy key are counted in lots of 50', async () => {
  expect(await passing(50 + 120)).toBe(170);
  expect(asked).toEqual([...Array.from({ length: 50 }, () => 'singles a'), 'lots a', 'lots a', 'lots a']);
});

test('requests that come at once share a lot, and none waits for the answer to another', async () => {
  await passing(50);
  asked = [];
  const admitted = await Promise.all(Array.from({ length: 50 }, () => limiter.admits('a')));
  expect(admitted).not.toContain(false);
  expect(asked).toEqual(['lots a']);
});

test('each window of 10 seconds begins anew', async () => {
  await passing(51);
  asked = [];
  now += 9_999;
  await passing(1);
  expect(asked).toEqual([]);
  now += 1;
  await passing(1);
  expect(asked).toEqual(['singles a']);
});

test.each([0, 50])(
  'a key that is refused after %i requests is refused for a second without asking',
  async (before) => {
    expect(await passing(before)).toBe(before);
    left = { singles: 0, lots: 0 };
    asked = [];
    expect(await passing(20)).toBe(0);
    now += 999;
    expect(await passing(20)).toBe(0);
    expect(asked).toHaveLength(1);
    now += 1;
    expect(await passing(20)).toBe(0);
    expect(asked).toHaveLength(2);
    left = { singles: Infinity, lots: Infinity };
    now += 1000;
    expect(await passing(40)).toBe(40);
  },
);

test('a key that is refused affects no other', async () => {
  left.singles = 0;
  expect(await passing(1, 'a')).toBe(0);
  left.singles = 1;
  expect(await passing(1, 'b')).toBe(1);
  expect(await passing(1, 'a')).toBe(0);
});

test('it remembers a thousand keys', async () => {
  left.singles = 0;
  for (let i = 0; i < 1001; i += 1) await passing(1, `key ${i}`);
  asked = [];
  await passing(1, 'key 1');
  expect(asked).toEqual([]);
  await passing(1, 'key 0');
  expect(asked).toEqual(['singles key 0']);
});

test.each([
  ['throws', () => Promise.reject(new TypeError('no such namespace'))],
  ['does not answer', () => new Promise<never>(() => {})],
])('a limiter that %s lets requests pass, and the log says so', async (_, limit) => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const broken = new RateLimiter({ limit }, { limit }, () => now);
  expect(await broken.admits('a')).toBe(true);
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/^\{"event":"rate_limiter_failed","error":"\w+"\}$/)],
  ]);
  warn.mockRestore();
});
