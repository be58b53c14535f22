import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRow } from '../../test/support/row-literal.ts';
import { auditEvent } from './event.ts';
import { lowestId, makeId, timeOf } from './id.ts';
import { readJson } from './json.ts';
import { storedSize } from './measure.ts';
import { prepareEvent } from './prepare.ts';

const now = Date.UTC(2026, 10, 20, 12);
const origin = { workspaceId: 'ws', keyId: 'key', now, checkWindow: true };
const base = { action: 'user.updated', actor: { type: 'user', id: 'u' }, target: { type: 'user' } };

function prepared(raw: unknown, from = origin) {
  const result = prepareEvent(raw, from);
  if (!result.ok) throw new Error(JSON.stringify(result.flaws));
  return { ...result.event, fields: readRow(result.event.row) };
}
function flawsOf(raw: unknown): string[] {
  const result = prepareEvent(raw, origin);
  return result.ok ? [] : result.flaws.map(({ pointer, code }) => `${pointer} ${code}`);
}

describe('prepareEvent', () => {
  it('gives an event its id, times and defaults, and leaves out what is absent', () => {
    const { fields, ...event } = prepared({
      ...base,
      reason: null,
      metadata: null,
      old_value: null,
      workspace_id: 'another',
    });
    expect(event).toMatchObject({
      workspaceId: 'ws',
      redacted: [],
      bytes: event.row.length,
    });
    expect(event.createdAt).toBe('2026-11-20T12:00:00.000Z');
    expect(fields).toEqual({
      id: event.id,
      workspace_id: 'ws',
      action: 'user.updated',
      version: 1,
      actor_type: 'user',
      actor_id: 'u',
      target_type: 'user',
      outcome: 'success',
      key_id: 'key',
      size: expect.any(Number),
      leaf_hash: `\\x${event.leafHash}`,
    });
    expect(timeOf(event.id)).toBe(now);
  });

  it('writes every field into its column', () => {
    const id = makeId(now - 1000);
    const { fields, createdAt } = prepared({
      ...base,
      id: id.toUpperCase(),
      occurred_at: '2026-11-20T10:00:00.1239+01:00',
      actor: {
        type: 'system',
        name: 'Cron',
        email: 'c@example.com',
        on_behalf_of: { type: 'user', id: 'u' },
      },
      target: { type: 'doc', id: 'd', name: 'D' },
      related_targets: [{ type: 'a' }, { type: 'b', id: 'c', name: 'N' }],
      outcome: 'denied',
      reason: 'because',
      old_value: { a: 1 },
      new_value: false,
      context: { ip_address: '::FFFF:1.2.3.4', user_agent: 'ua', request_id: 'r', session_id: 's' },
      metadata: { token: 'x', n: 1e20 },
      source_id: 'src',
      version: 3,
    });
    expect(Date.parse(createdAt)).toBe(now - 1000);
    const hash = expect.stringMatching(/^\\x[0-9a-f]{64}$/);
    const salt = expect.stringMatching(/^\\x[0-9a-f]{32}$/);
    expect(fields).toEqual({
      id,
      workspace_id: 'ws',
      occurred_at: '2026-11-20T09:00:00.123Z',
      action: 'user.updated',
      version: 3,
      actor_type: 'system',
      actor_id: 'system',
      actor_name: 'Cron',
      actor_email: 'c@example.com',
      on_behalf_of_type: 'user',
      on_behalf_of_id: 'u',
      target_type: 'doc',
      target_id: 'd',
      target_name: 'D',
      related_targets: [{ type: 'a' }, { type: 'b', id: 'c' }],
      related_target_names: [null, 'N'],
      outcome: 'denied',
      reason: 'because',
      old_value: { a: 1 },
      new_value: false,
      metadata: { token: '[redacted]', n: 1e20 },
      ip_address: '1.2.3.4',
      user_agent: 'ua',
      request_id: 'r',
      session_id: 's',
      source_id: 'src',
      key_id: 'key',
      size: expect.any(Number),
      leaf_hash: hash,
      ip_commitment: hash,
      person_commitment: hash,
      payload_commitment: hash,
      ip_salt: salt,
      person_salt: salt,
      payload_salt: salt,
    });
  });

  it('refuses what is too large, as sent, redacted or stored', () => {
    const room = 64 * 1024 - storedSize({ ...base, metadata: { a: '' } });
    expect(flawsOf({ ...base, metadata: { a: 'x'.repeat(room) } })).toEqual([]);
    expect(flawsOf({ ...base, metadata: { a: 'x'.repeat(room + 1) } })).toEqual([' too_large']);
    expect(flawsOf({ ...base, metadata: { a: Array.from({ length: 4000 }, () => 1e20) } })).toEqual([
      ' too_large',
    ]);
    expect(flawsOf({ ...base, metadata: { a: Array.from({ length: 300 }, () => 1e308) } })).toEqual([
      ' too_large',
    ]);
    expect(flawsOf({ ...base, metadata: { a: Array.from({ length: 6000 }, () => ({ pwd: 'x' })) } })).toEqual(
      [' too_large'],
    );
  });

  it('refuses what is too deep, counting the event as the first level', () => {
    const deep = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown;
    expect(flawsOf({ ...base, old_value: deep(31) })).toEqual([]);
    expect(flawsOf({ ...base, old_value: deep(32) })).toEqual([`/old_value${'/0'.repeat(31)} too_deep`]);
  });

  it('names flaws of characters and of fields together', () => {
    expect(flawsOf({ ...base, reason: 'a\0', foo: 1, metadata: { '\ud800': 1 } })).toEqual([
      '/reason nul_character',
      '/metadata/\ufffd lone_surrogate',
      '/foo unknown_field',
    ]);
  });

  it('checks the window of ids only where it is asked to', () => {
    const raw = { ...base, id: lowestId(0) };
    expect(flawsOf(raw)).toEqual(['/id id_window']);
    expect(prepared(raw, { ...origin, checkWindow: false }).createdAt).toBe('1970-01-01T00:00:00.000Z');
  });

  it('keeps a member named __proto__ all the way', () => {
    const reading = readJson(
      '{"action":"a","actor":{"type":"system"},"target":{"type":"x"},"metadata":{"__proto__":{"a":1},"token":"t"}}',
    );
    const { row } = prepared(reading.ok ? reading.value : undefined);
    expect(row).toContain('"{""__proto__"":{""a"":1},""token"":""[redacted]""}"');
  });

  it('does not touch what it was given', () => {
    const raw = { ...base, metadata: { password: 'x', a: ['token=b'] } };
    const before = structuredClone(raw);
    prepared(raw);
    expect(raw).toEqual(before);
  });

  it('never throws, and what it accepts is within its limits', () => {
    const field = fc.constantFrom(...Object.keys(auditEvent.shape), 'x', '__proto__');
    const raw = fc.oneof(
      fc.anything(),
      fc
        .tuple(fc.dictionary(field, fc.jsonValue()), fc.boolean())
        .map(([fields, whole]) => (whole ? { ...fields, ...base } : fields)),
      fc
        .tuple(fc.jsonValue(), fc.jsonValue())
        .map(([old_value, a]) => ({ ...base, old_value, metadata: { a } })),
    );
    fc.assert(
      fc.property(raw, (value) => {
        const result = prepareEvent(value, origin);
        if (!result.ok) return;
        const { row, bytes } = result.event;
        // A call is JSON, and is cut by twice what this says.
        const [plain, asJson] = [row, JSON.stringify(row)].map(
          (text) => new TextEncoder().encode(text).length,
        );
        expect(bytes).toBeGreaterThanOrEqual(plain ?? 0);
        expect(2 * bytes).toBeGreaterThanOrEqual((asJson ?? 0) - 2);
        expect(readRow(result.event.row)['size']).toBeLessThanOrEqual(64 * 1024);
      }),
    );
  });
});
