import { expect, test } from 'vitest';
import { ProgressBar, progressText } from './progress.ts';

const first = { done: 50_000, rows: 50_000, at: 0 };

test.each([
  [{ done: 60_000, rows: 60_000, at: 2000 }, 100_000, '60 %  60,000 rows, 5,000/s, 8 s left'],
  [{ done: 60_000, rows: 60_000, at: 2000 }, 1_000_000, '6 %  60,000 rows, 5,000/s, 3 min 8 s left'],
  [{ done: 50_001, rows: 50_001, at: 1000 }, 100_000, '50 %  50,001 rows, 1/s, 13 h 53 min left'],
  [{ done: 120_000, rows: 120_000, at: 1000 }, 100_000, '100 %  120,000 rows, 70,000/s, 0 s left'],
  [first, 100_000, '50 %  50,000 rows, 0/s'],
])('from half way to %j of %i it says %j', (now, total, text) => {
  expect(progressText(first, now, total)).toBe(text);
});

test('where there is no terminal, a short command says nothing', () => {
  const written: string[] = [];
  const bar = new ProgressBar(10, { isTTY: false, write: (text: string) => written.push(text) > 0 });
  for (let done = 1; done <= 10; done += 1) bar.show(done, done);
  bar.end();
  expect(written).toEqual([]);
});
