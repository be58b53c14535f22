import { expect, test } from 'vitest';
import { NearestTerms, unknownTerms } from './terms.ts';

/** Counts how often all of its names are gone through. */
class Counted extends Set<string> {
  times = 0;
  override [Symbol.iterator]() {
    this.times += 1;
    return super[Symbol.iterator]();
  }
}

const terms = () => ({ actions: new Set(['x']), targetTypes: new Counted(['invoice', 'reminder']) });
const events = (typeOf: (n: number) => string) =>
  Array.from({ length: 1000 }, (_, n) => ({
    action: 'x',
    targetTypes: Array.from({ length: 11 }, (__, related) => typeOf(n * 11 + related)),
  }));

test('the nearest names to an unknown one are looked for once in a request, and told each time', () => {
  const [known, nearest] = [terms(), new NearestTerms()];
  const flaws = events(() => 'invoce').flatMap((event) => unknownTerms(event, known, 'workspace', nearest));
  expect(known.targetTypes.times).toBe(1);
  expect(flaws).toHaveLength(11_000);
  expect(flaws.at(-1)?.detail).toContain('did you mean "invoice"?');
});

test('a request of many unknown names has the nearest to some of them, and each its flaw', () => {
  const [known, nearest] = [terms(), new NearestTerms()];
  const flaws = events((n) => `invoic${n}`).flatMap((event) =>
    unknownTerms(event, known, 'workspace', nearest),
  );
  expect(known.targetTypes.times).toBe(20);
  expect(flaws).toHaveLength(11_000);
  expect(flaws[0]?.detail).toContain('did you mean "invoice"?');
  expect(flaws.at(-1)?.detail).toContain('GET /v1/actions lists the 2 that it takes.');
});
