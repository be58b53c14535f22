import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical } from './canonical.ts';
import { commitmentTo, leafHash, sealEvent } from './commitment.ts';
import { ipText, leafText, payloadText, personText } from './leaf.ts';
import type { RecordedEvent } from './record.ts';

const full: RecordedEvent = {
  id: '0198f3a2-7c1e-7d3a-9b2c-5e6f7a8b9c0d',
  workspace_id: 'ws',
  created_at: '2025-08-29T02:22:48.862Z',
  occurred_at: '2025-08-29T02:22:00.000Z',
  action: 'user.updated',
  version: 2,
  actor: {
    type: 'agent',
    id: 'a',
    name: 'Bot',
    email: 'b@example.com',
    on_behalf_of: { type: 'user', id: 'u' },
  },
  target: { type: 'user', id: 'u', name: 'Ada' },
  related_targets: [{ type: 'x' }, { type: 'y', id: 'z', name: 'Zed' }],
  outcome: 'success',
  reason: 'why',
  old_value: 1,
  new_value: { b: [], a: 'é' },
  context: { ip_address: '1.2.3.4', user_agent: 'ua', request_id: 'r', session_id: 's' },
  metadata: { k: 'v' },
  source_id: 'src',
  key_id: 'key',
};
const bare: RecordedEvent = {
  id: full.id,
  workspace_id: 'ws',
  created_at: full.created_at,
  occurred_at: full.occurred_at,
  action: 'login',
  version: 1,
  actor: { type: 'anonymous', id: null },
  target: { type: 'x', name: null },
  related_targets: [],
  outcome: 'success',
  context: { ip_address: null },
  metadata: {},
  old_value: null,
  key_id: null,
};

/** SHA-256 by another implementation. */
async function sha256(prefix: Uint8Array, text: string): Promise<string> {
  const bytes = new Uint8Array([...prefix, ...new TextEncoder().encode(text)]);
  return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
const fromHex = (hex = '') => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

describe('a leaf', () => {
  it('holds the core of an event and the commitments, as canonical JSON', () => {
    expect(leafText(full, { ip: 'i', person: 'p', payload: 'q' })).toBe(
      '{"action":"user.updated","actor":{"id":"a","on_behalf_of":{"id":"u","type":"user"},"type":"agent"},' +
        '"created_at":"2025-08-29T02:22:48.862Z","id":"0198f3a2-7c1e-7d3a-9b2c-5e6f7a8b9c0d","ip":"i","key_id":"key",' +
        '"occurred_at":"2025-08-29T02:22:00.000Z","outcome":"success","payload":"q","person":"p",' +
        '"related_targets":[{"type":"x"},{"id":"z","type":"y"}],"request_id":"r","source_id":"src",' +
        '"target":{"id":"u","type":"user"},"v":1,"version":2,"workspace_id":"ws"}',
    );
    expect(leafText(bare, {})).toBe(
      '{"action":"login","actor":{"type":"anonymous"},"created_at":"2025-08-29T02:22:48.862Z",' +
        '"id":"0198f3a2-7c1e-7d3a-9b2c-5e6f7a8b9c0d","occurred_at":"2025-08-29T02:22:00.000Z","outcome":"success",' +
        '"target":{"type":"x"},"v":1,"version":1,"workspace_id":"ws"}',
    );
  });

  it('commits to the address, the persons and the payload, each without what is absent', () => {
    expect(ipText(full)).toBe('"1.2.3.4"');
    expect(personText(full)).toBe(
      '{"actor":{"email":"b@example.com","name":"Bot"},"context":{"session_id":"s","user_agent":"ua"},"related_targets":[{},{"name":"Zed"}],"target":{"name":"Ada"}}',
    );
    expect(payloadText(full)).toBe(
      '{"metadata":{"k":"v"},"new_value":{"a":"é","b":[]},"old_value":1,"reason":"why"}',
    );
    expect([ipText(bare), personText(bare), payloadText(bare)]).toEqual([undefined, undefined, undefined]);
  });

  it('is canonical, and so is what it commits to, whatever the event holds', () => {
    const text = fc.option(fc.string({ unit: 'grapheme' }));
    const party = fc.record({ type: fc.string(), id: text, name: text }, { requiredKeys: ['type'] });
    const event = fc.record<RecordedEvent>(
      {
        id: fc.uuid(),
        workspace_id: fc.string(),
        created_at: fc.string(),
        occurred_at: fc.string(),
        action: fc.string(),
        version: fc.nat(),
        actor: fc.record(
          {
            type: fc.constant('user'),
            id: text,
            name: text,
            email: text,
            on_behalf_of: fc.option(fc.record({ type: fc.constant('user'), id: fc.string() })),
          },
          { requiredKeys: ['type'] },
        ),
        target: party,
        related_targets: fc.option(fc.array(party, { maxLength: 3 })),
        outcome: fc.constant('success'),
        reason: text,
        old_value: fc.jsonValue(),
        new_value: fc.jsonValue(),
        context: fc.record(
          { ip_address: text, user_agent: text, request_id: text, session_id: text },
          { requiredKeys: [] },
        ),
        metadata: fc.dictionary(fc.string(), fc.jsonValue()),
        source_id: text,
        key_id: text,
      },
      {
        requiredKeys: [
          'id',
          'workspace_id',
          'created_at',
          'occurred_at',
          'action',
          'version',
          'actor',
          'target',
          'outcome',
        ],
      },
    );
    const commitments = fc.record(
      { ip: fc.string(), person: fc.string(), payload: fc.string() },
      { requiredKeys: [] },
    );
    const texts = fc.sample(fc.tuple(event, commitments), 300).flatMap(([value, hashes]) => {
      const all = [leafText(value, hashes), ipText(value), personText(value), payloadText(value)];
      return all.filter((json) => json !== undefined);
    });
    expect(texts).toEqual(texts.map((json) => canonical(JSON.parse(json))));
  });

  it('hashes as RFC 6962 does', () => {
    // The empty leaf of RFC 6962, section 2.1, as in its public test vectors.
    expect(leafHash('')).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
  });

  it('stays the same when what it commits to is forgotten', () => {
    const { commitments, leafHash: hash } = sealEvent(full);
    const forgotten: RecordedEvent = {
      ...full,
      actor: { ...full.actor, name: null, email: null },
      context: { request_id: 'r' },
      metadata: null,
    };
    expect(leafHash(leafText(forgotten, commitments))).toBe(hash);
  });
});

describe('sealEvent', () => {
  it('can be checked from what is stored', async () => {
    const { commitments, salts, leafHash: hash } = sealEvent(full);
    for (const [group, text] of [
      ['ip', ipText(full)],
      ['person', personText(full)],
      ['payload', payloadText(full)],
    ] as const) {
      const salt = fromHex(salts[group]);
      expect(salt.length).toBe(16);
      expect(commitments[group]).toBe(await sha256(salt, text ?? ''));
      expect(commitments[group]).toBe(commitmentTo(text ?? '', salt));
    }
    expect(hash).toBe(await sha256(Uint8Array.of(0), leafText(full, commitments)));
    expect(new Set(Object.values(salts)).size).toBe(3);
  });

  it('salts each event anew, and nothing where there is nothing', () => {
    expect(sealEvent(full).commitments.ip).not.toBe(sealEvent(full).commitments.ip);
    expect(sealEvent(bare)).toMatchObject({ commitments: {}, salts: {} });
    expect(Object.keys(sealEvent(bare).commitments)).toEqual([]);
  });

  it('hashes texts of any length', async () => {
    for (const length of [0, 5460, 5461, 70_000]) {
      const text = '€'.repeat(length);
      expect(commitmentTo(text, new Uint8Array(16))).toBe(await sha256(new Uint8Array(16), text));
    }
  });
});
