import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { append } from '../../src/db/append.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { parseJson, readRow } from '../support/row-literal.ts';
import { appendRows, prepared } from '../support/rows.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase('postgres');
});
afterAll(() => database.close());

/** Texts that a row literal, or what stands between two, could be misread for. */
const awkward = fc.constantFrom(
  '',
  ' ',
  'NULL',
  '"',
  '""',
  '\\',
  '\n"\n',
  '(,)',
  ',,',
  '\\x41',
  '{"a":"\\""}',
  "'$1'",
  '\u001e',
);
const text = fc
  .array(fc.oneof(awkward, fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 6 })
  .map((parts) => parts.join('').replaceAll('\0', ''));
const id = text.filter((value) => value !== '');
const payload = fc
  .jsonValue({ maxDepth: 3, stringUnit: 'binary' })
  .filter((value) => !/\\u0000/.test(JSON.stringify(value)));

const event = fc.record({
  actor: fc.record({ type: fc.constant('user'), id, name: text, email: fc.constant('ada@example.com') }),
  target: fc.record({ type: fc.constant('doc'), id, name: text }),
  related_targets: fc.array(fc.record({ type: fc.constant('team'), id, name: text }), { maxLength: 2 }),
  reason: text,
  old_value: payload,
  new_value: payload,
  metadata: fc.dictionary(text, payload, { maxKeys: 3 }),
  context: fc.record({ user_agent: text, request_id: id, session_id: id }),
  source_id: id,
});

it('takes a call of nothing, which asks no more than whether the database answers', async () => {
  const signal = AbortSignal.timeout(10_000);
  expect(await append(database.app, [], { atomic: false, signal })).toEqual({ ok: true, value: [] });
});

it('Postgres reads from a batch of rows what was written into it, whatever the texts hold', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 5 }), async (events) => {
      const batch = events.map((fields) => prepared(fields));
      expect(await appendRows(database.app, batch)).toEqual([]);
      for (const { id: eventId, row } of batch) {
        const written = readRow(row);
        expect(written).not.toHaveProperty('occurred_at');
        const stored = await database.owner.query(
          'SELECT to_jsonb(e)::text AS event, occurred_at = created_at AS is_default FROM audit.events e WHERE id = $1',
          [eventId],
        );
        expect(stored).toMatchObject([{ is_default: true }]);
        expect(parseJson(String(stored[0]?.['event']))).toMatchObject(written);
      }
    }),
    { numRuns: 100 },
  );
});
