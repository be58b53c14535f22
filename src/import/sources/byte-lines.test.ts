import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteLines, type ByteLine } from './byte-lines.ts';

const path = join(await mkdtemp(join(tmpdir(), 'daybook-lines-')), 'lines');

async function linesOf(
  options: Parameters<typeof byteLines>[1],
): Promise<(Omit<ByteLine, 'bytes'> & { text: string })[]> {
  const lines: (Omit<ByteLine, 'bytes'> & { text: string })[] = [];
  for await (const { bytes, ...line } of byteLines(path, options))
    lines.push({ ...line, text: new TextDecoder().decode(bytes) });
  return lines;
}

test('lines come whole, whatever the pieces that are read, and from any of them on', async () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'é', '😀', ' ', '"'), maxLength: 12 });
  const texts = fc.array(line, { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(
      texts,
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 9 }),
      async (lines, end, last, chunkBytes) => {
        await writeFile(path, lines.join(end) + (last ? end : ''));
        const read = await linesOf({ start: 0, limit: 1000, chunkBytes });
        // What follows the last line break is a line only where there is something.
        const expected = !last && lines.at(-1) === '' ? lines.slice(0, -1) : lines;
        expect(read.map(({ text }) => text)).toEqual(expected);
        for (const [index, { end: next }] of read.entries())
          expect(await linesOf({ start: next, limit: 1000, chunkBytes })).toEqual(read.slice(index + 1));
      },
    ),
    { numRuns: 40 },
  );
});

test('of a line that is too long its beginning comes, and the next line whole', async () => {
  await writeFile(path, `${'x'.repeat(100)}\nnext\n`);
  expect(await linesOf({ start: 0, limit: 10, chunkBytes: 7 })).toEqual([
    { start: 0, end: 101, text: 'x'.repeat(10), isWhole: false },
    { start: 101, end: 106, text: 'next', isWhole: true },
  ]);
});
