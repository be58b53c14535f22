import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ordinals } from './ordinals.ts';

test('each content is counted for itself, however many there are', () => {
  const content = fc.integer({ min: 0, max: 3000 }).map(String);
  fc.assert(
    fc.property(fc.array(content, { maxLength: 5000 }), (contents) => {
      const ordinals = new Ordinals();
      const counts = new Map<string, number>();
      for (const content of contents) {
        const before = counts.get(content) ?? 0;
        expect(ordinals.next(content)).toBe(before);
        counts.set(content, before + 1);
      }
      expect(ordinals.size).toBe(counts.size);
    }),
    { numRuns: 20 },
  );
});
