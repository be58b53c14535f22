import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitRows } from '../db/append.ts';
import { prepareEvent } from '../events/prepare.ts';
import { openMessage, packRows } from './queue-message.ts';

const PLATFORM_MAX = 128_000;

function rowOf(fields: Record<string, unknown>): string {
  const actor = { type: 'user', id: 'u_1' };
  const raw = { action: 'user.logged_in', actor, target: { type: 'session' }, ...fields };
  const source = { workspaceId: 'acme', keyId: null, now: Date.now(), checkWindow: false };
  const prepared = prepareEvent(raw, source);
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.flaws));
  return prepared.event.row;
}

async function unpackAll(rows: readonly string[]): Promise<string[]> {
  const unpacked: string[] = [];
  for (const { body } of await packRows(rows)) {
    // As it comes out of the queue.
    const delivered = typeof body === 'string' ? body : body.buffer;
    const opened = await openMessage(delivered);
    if (opened !== undefined) unpacked.push(...splitRows(opened.joined));
  }
  return unpacked;
}

describe('rows in messages of the queue', () => {
  const text = fc
    .string({ unit: 'binary', maxLength: 200 })
    .map((value) => value.toWellFormed().replaceAll('\0', ''));
  const row = fc
    .record({ metadata: fc.dictionary(text, text, { maxKeys: 4 }), reason: text, size: fc.nat(60_000) })
    .map(({ metadata, reason, size }) =>
      rowOf({ metadata: { ...metadata, filling: 'f'.repeat(size) }, reason }),
    );

  test('come out as they went in, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 12 }), async (rows) => {
        expect(await unpackAll(rows)).toEqual(rows);
      }),
      { numRuns: 60 },
    );
  });

  test('share messages of up to 100 KB', async () => {
    const rows = Array.from({ length: 1000 }, (_, index) => rowOf({ metadata: { index } }));
    const messages = await packRows(rows);
    const bytes = messages.map(({ body }) => Buffer.byteLength(body));
    expect(messages.every((message, place) => message.bytes >= (bytes[place] ?? 0))).toBe(true);
    expect(Math.max(...bytes)).toBeLessThanOrEqual(100_000);
    // All but the last are full.
    expect(Math.min(...bytes.slice(0, -1))).toBeGreaterThan(99_000);
    expect(messages.reduce((sum, message) => sum + message.rows, 0)).toBe(1000);
  });

  test.each([
    ['quotes', '"'],
    ['backslashes', '\\'],
    ['quotes and backslashes without order', undefined],
  ])('fit into one message each, also the largest event of %s', async (_, character) => {
    const chosen = () => character ?? (Math.random() < 0.5 ? '"' : '\\');
    const filling = Array.from({ length: 32_500 }, chosen).join('');
    const rows = [rowOf({ metadata: { filling } })];
    expect(Buffer.byteLength(rows[0] ?? '')).toBeGreaterThan(PLATFORM_MAX);
    const [message, ...others] = await packRows(rows);
    expect(others).toEqual([]);
    expect(message?.body.length).toBeLessThan(PLATFORM_MAX);
    expect(await unpackAll(rows)).toEqual(rows);
  });

  test.each([
    ['a text', 'nonsense'],
    ['JSON', { events: [] }],
    ['bytes', new Uint8Array([1, 2, 3]).buffer],
    ['nothing', undefined],
    ['what JSON cannot say', { big: 1n }],
  ])('are not read from %s of another sender', async (_, body) => {
    expect(await openMessage(body)).toBeUndefined();
  });
});
