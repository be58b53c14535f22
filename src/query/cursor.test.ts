import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProblemError } from '../http/problem.ts';
import { lowestId } from '../events/id.ts';
import { listName, readCursor, writeCursor } from './cursor.ts';

test('a cursor gives back its place to its own list', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(Date.UTC(9000, 0)), fc.jsonValue(), async (ms, filters) => {
      const id = lowestId(ms);
      const list = await listName(filters);
      expect(readCursor(writeCursor({ id, list }), list)).toBe(id);
    }),
  );
});

test('a cursor of a list with other filters is refused', async () => {
  const list = await listName(['acme', 'desc', [['actor_id', ['u_1']]]]);
  const other = await listName(['acme', 'desc', [['actor_id', ['u_2']]]]);
  const cursor = writeCursor({ id: '01a1fde2-e7c0-789f-9e35-bd1e3e0b69bd', list: other });
  expect(() => readCursor(cursor, list)).toThrow(ProblemError);
});

test('text that is no cursor is refused, and nothing else happens', async () => {
  const list = await listName('any');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(() => readCursor(text, list)).toThrow(ProblemError);
    }),
  );
  for (const value of ['null', '[]', '["x","y"]', '{"id":1}', '[1,2]']) {
    expect(() => readCursor(btoa(value), list)).toThrow(ProblemError);
  }
});
