import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highestId, isId, lowestId, makeId, timeOf } from './id.ts';

const instant = fc.nat({ max: 2 ** 48 - 1 });

describe('ids', () => {
  it('carry the time that they were made for, between the bounds of its millisecond', () => {
    fc.assert(
      fc.property(instant, (ms) => {
        const id = makeId(ms);
        expect(isId(id)).toBe(true);
        expect(timeOf(id)).toBe(ms);
        expect(lowestId(ms) <= id && id <= highestId(ms)).toBe(true);
        expect([timeOf(lowestId(ms)), timeOf(highestId(ms))]).toEqual([ms, ms]);
        expect(isId(lowestId(ms)) && isId(highestId(ms))).toBe(true);
      }),
    );
  });

  it('sort as their times do', () => {
    fc.assert(
      fc.property(instant, instant, (a, b) => {
        fc.pre(a < b);
        expect(highestId(a) < lowestId(b)).toBe(true);
      }),
    );
  });

  it('do not repeat, and rise within a millisecond', () => {
    const ids = Array.from({ length: 10_000 }, () => makeId(1_763_000_000_000));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
  });

  it('have the bounds that RFC 9562 gives them', () => {
    expect(lowestId(0x0123456789ab)).toBe('01234567-89ab-7000-8000-000000000000');
    expect(highestId(0x0123456789ab)).toBe('01234567-89ab-7fff-bfff-ffffffffffff');
    expect(lowestId(-1)).toBe(lowestId(0));
    expect(highestId(2 ** 50)).toBe('ffffffff-ffff-7fff-bfff-ffffffffffff');
  });

  it.each([
    ['0198f3a2-7c1e-7d3a-9b2c-5e6f7a8b9c0d', true],
    ['0198F3A2-7C1E-7D3A-BB2C-5E6F7A8B9C0D', true],
    ['0198f3a2-7c1e-4d3a-9b2c-5e6f7a8b9c0d', false],
    ['0198f3a2-7c1e-7d3a-cb2c-5e6f7a8b9c0d', false],
    ['0198f3a27c1e7d3a9b2c5e6f7a8b9c0d', false],
    ['{0198f3a2-7c1e-7d3a-9b2c-5e6f7a8b9c0d}', false],
  ])('%s is one: %s', (text, expected) => {
    expect(isId(text)).toBe(expected);
  });
});
