import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { auditEvent } from './event.ts';
import { highestId, lowestId, makeId } from './id.ts';
import { formatTime } from './time.ts';
import { validateEvent } from './validate.ts';

const now = Date.UTC(2026, 10, 20, 12);
const minute = 60_000;
const day = 24 * 60 * minute;
const base = { action: 'user.updated', actor: { type: 'user', id: 'u' }, target: { type: 'user' } };

function flawsOf(raw: unknown, checkWindow = true): string[] {
  const result = validateEvent(raw, { now, checkWindow });
  return result.ok ? [] : result.flaws.map(({ pointer, code }) => `${pointer} ${code}`);
}
const detailsOf = (raw: unknown) => {
  const result = validateEvent(raw, { now, checkWindow: true });
  return result.ok ? [] : result.flaws.map(({ detail }) => detail);
};

describe('validateEvent', () => {
  it('accepts an event with every field, and hands back the same object', () => {
    const raw = {
      ...base,
      id: makeId(now),
      workspace_id: 'ws',
      occurred_at: '1900-01-01T00:00:00+00:00',
      actor: {
        type: 'agent',
        id: 'a',
        name: 'A',
        email: 'odd snapshot',
        on_behalf_of: { type: 'user', id: 'u' },
      },
      target: { type: 'user', id: 'u', name: '' },
      related_targets: Array.from({ length: 10 }, () => ({ type: 'x' })),
      outcome: 'denied',
      reason: 'x'.repeat(512),
      old_value: [1],
      new_value: false,
      context: { ip_address: '::1', user_agent: 'x', request_id: 'r', session_id: 's' },
      metadata: { a: { b: null } },
      source_id: 's',
      version: 2_147_483_647,
    };
    const result = validateEvent(raw, { now, checkWindow: true });
    expect(result.ok && result.event).toBe(raw);
  });

  it('takes null for absent in every optional field', () => {
    const names = Object.keys(auditEvent.shape).filter((name) => !(name in base));
    expect(flawsOf({ ...base, ...Object.fromEntries(names.map((name) => [name, null])) })).toEqual([]);
    expect(
      flawsOf({ ...base, actor: { type: 'user', id: 'u', name: null, email: null, on_behalf_of: null } }),
    ).toEqual([]);
    expect(
      flawsOf({ ...base, context: { ip_address: null }, target: { type: 'x', id: null, name: null } }),
    ).toEqual([]);
  });

  it.each([
    [{}, ['/action required', '/actor required', '/target required']],
    [null, [' wrong_type']],
    [[], [' wrong_type']],
    ['x', [' wrong_type']],
    [{ ...base, action: null }, ['/action required']],
    [{ ...base, action: 7 }, ['/action wrong_type']],
    [{ ...base, action: '' }, ['/action too_short']],
    [{ ...base, action: 'a'.repeat(129) }, ['/action too_long']],
    [{ ...base, action: '1abc' }, ['/action invalid_value']],
    [{ ...base, action: 'user..updated' }, ['/action invalid_value']],
    [{ ...base, action: 'user.updated\n' }, ['/action invalid_value']],
    [{ ...base, actor: {} }, ['/actor/type required']],
    [{ ...base, actor: { type: 'robot', id: 'r' } }, ['/actor/type invalid_value']],
    [{ ...base, actor: { type: 5, id: 'r' } }, ['/actor/type wrong_type']],
    [{ ...base, actor: { type: 'user' } }, ['/actor/id required']],
    [{ ...base, actor: { type: 'user', id: null } }, ['/actor/id required']],
    [{ ...base, actor: { type: 'user', id: '' } }, ['/actor/id too_short']],
    [{ ...base, actor: { type: 'user', id: 5 } }, ['/actor/id wrong_type']],
    [{ ...base, actor: { type: 'anonymous', id: 'x' } }, ['/actor/id invalid_value']],
    [{ ...base, actor: { type: 'anonymous', id: null } }, []],
    [{ ...base, actor: { type: 'system' } }, []],
    [{ ...base, actor: { type: 'system', id: 'system' } }, []],
    [{ ...base, actor: { type: 'system', id: 'cron' } }, ['/actor/id invalid_value']],
    [
      { ...base, actor: { type: 'agent', id: 'a', on_behalf_of: { type: 'user' } } },
      ['/actor/on_behalf_of/id required'],
    ],
    [{ ...base, target: { id: 'x' } }, ['/target/type required']],
    [{ ...base, target: { type: 'x'.repeat(129) } }, ['/target/type too_long']],
    [{ ...base, related_targets: [{ type: 'a' }, { id: 'b' }] }, ['/related_targets/1/type required']],
    [{ ...base, related_targets: {} }, ['/related_targets wrong_type']],
    [{ ...base, outcome: 'ok' }, ['/outcome invalid_value']],
    [{ ...base, metadata: [] }, ['/metadata wrong_type']],
    [{ ...base, metadata: 'x' }, ['/metadata wrong_type']],
    [{ ...base, version: 0 }, ['/version invalid_value']],
    [{ ...base, version: 1.5 }, ['/version wrong_type']],
    [{ ...base, version: '1' }, ['/version wrong_type']],
    [{ ...base, version: 2 ** 31 }, ['/version invalid_value']],
    [{ ...base, context: { ip_address: '127.1' } }, ['/context/ip_address invalid_ip']],
    [{ ...base, occurred_at: '2026-02-30T00:00:00Z' }, ['/occurred_at invalid_time']],
    [{ ...base, occurred_at: 5 }, ['/occurred_at wrong_type']],
    [{ ...base, id: 'x' }, ['/id invalid_value']],
    [{ ...base, id: '550e8400-e29b-41d4-a716-446655440000' }, ['/id id_version']],
    [{ ...base, workspace_id: '' }, ['/workspace_id too_short']],
    [{ ...base, __proto: 1, foo: 2 }, ['/__proto unknown_field', '/foo unknown_field']],
    [{ ...base, actor: { type: 'user', id: 'u', 'a/b': 1 } }, ['/actor/a~1b unknown_field']],
    [
      JSON.parse('{"action":"a","actor":{"type":"system"},"target":{"type":"x"},"__proto__":{}}'),
      ['/__proto__ unknown_field'],
    ],
  ])('finds in %j: %j', (raw, expected) => {
    expect(flawsOf(raw).slice(0, Math.max(expected.length, 1))).toEqual(expected);
  });

  it('counts code points, not code units', () => {
    const named = (length: number) => ({ ...base, target: { type: 'x', name: '😀'.repeat(length) } });
    expect(flawsOf(named(255))).toEqual([]);
    expect(flawsOf(named(256))).toEqual(['/target/name too_long']);
  });

  it('holds the time of the event and of its id to their windows', () => {
    expect(flawsOf({ ...base, occurred_at: formatTime(now + 5 * minute) })).toEqual([]);
    expect(flawsOf({ ...base, occurred_at: formatTime(now + 5 * minute + 1) })).toEqual([
      '/occurred_at time_out_of_range',
    ]);
    for (const [id, expected] of [
      [lowestId(now - 7 * day), []],
      [highestId(now - 7 * day - 1), ['/id id_window']],
      [highestId(now + 5 * minute), []],
      [lowestId(now + 5 * minute + 1).toUpperCase(), ['/id id_window']],
    ] as const) {
      expect(flawsOf({ ...base, id })).toEqual(expected);
      expect(flawsOf({ ...base, id }, false)).toEqual([]);
    }
    expect(flawsOf({ ...base, id: lowestId(Date.UTC(9999, 0)) }, false)).toEqual(['/id id_window']);
  });

  it('says of an old id that the event may be stored already, and of one ahead that a clock is wrong', () => {
    expect(detailsOf({ ...base, id: makeId(now - 8 * day) })).toEqual([
      'The id must be at most 7 days old. An older event may have been stored already: send it under a new id only if it was not.',
    ]);
    expect(detailsOf({ ...base, id: makeId(now + 6 * minute) })).toEqual([
      'The time within the id must be at most 5 minutes ahead of now; set the clock of what makes your ids.',
    ]);
  });

  it.each([
    [{ action: '' }, /1 to 128 characters.*Use letters and digits/],
    [{ action: 'a'.repeat(129) }, /at most 128 characters\.$/],
    [{ action: '-'.repeat(129) }, /at most 128 characters\. Use letters and digits/],
    [{ workspace_id: '' }, /1 to 128 characters/],
    [{ workspace_id: 'x'.repeat(129) }, /at most 128 characters/],
    [{ id: 'x'.repeat(256) }, /at most 255 characters\. Send a UUID of version 7/],
    [{ id: '' }, /1 to 255 characters.*Send a UUID of version 7/],
    [{ occurred_at: `2026-01-31T09:30:00.${'0'.repeat(300)}Z` }, /at most 255 characters\.$/],
    [{ occurred_at: '' }, /1 to 255 characters.*Send an RFC 3339 time/],
    [{ context: { ip_address: '' } }, /1 to 255 characters.*Send one IPv4 or IPv6 address/],
    [{ context: { ip_address: '1'.repeat(256) } }, /at most 255 characters\. Send one IPv4 or IPv6 address/],
    [{ context: { user_agent: 'x'.repeat(2049) } }, /at most 2048 characters/],
    [{ context: { request_id: '' } }, /1 to 255 characters/],
    [{ context: { session_id: 'x'.repeat(256) } }, /at most 255 characters/],
    [{ actor: { type: 'user', id: '' } }, /1 to 255 characters/],
    [{ actor: { type: 'user', id: 'u', name: 'x'.repeat(256) } }, /at most 255 characters/],
    [{ actor: { type: 'user', id: 'u', email: 'x'.repeat(321) } }, /at most 320 characters/],
    [{ actor: { type: 'user', id: 'u', on_behalf_of: { type: 'user', id: '' } } }, /1 to 255 characters/],
    [{ target: { type: '' } }, /1 to 128 characters/],
    [{ target: { type: 'x'.repeat(129) } }, /at most 128 characters/],
    [{ target: { type: 'x', name: 'x'.repeat(256) } }, /at most 255 characters/],
    [{ related_targets: Array.from({ length: 11 }, () => ({ type: 'x' })) }, /at most 10 related targets/],
    [{ reason: 'x'.repeat(513) }, /at most 512 characters/],
    [{ source_id: '' }, /1 to 255 characters/],
  ])('says what length is allowed: %j', (fields, detail) => {
    const result = validateEvent({ ...base, ...fields }, { now, checkWindow: true });
    expect(result.ok ? [] : result.flaws).toEqual([
      {
        pointer: expect.any(String),
        code: expect.stringMatching(/^too_(long|short)$/),
        detail: expect.stringMatching(detail),
      },
    ]);
  });

  it('names unknown fields, near ones and what may be meant', () => {
    expect(detailsOf({ ...base, occured_at: 1, userAgent: 2, context: { ip: 3 } })).toEqual([
      expect.stringContaining('did you mean "ip_address"?'),
      expect.stringContaining('did you mean "occurred_at"?'),
      expect.stringContaining('"userAgent" here: put what is your own into metadata.'),
    ]);
    expect(detailsOf({ ...base, ['x'.repeat(1000)]: 1 })[0]?.length).toBeLessThan(160);
  });

  it('never repeats a value that was sent', () => {
    const value = 'personal-42';
    const wrong = {
      ...base,
      action: `${value}!`,
      outcome: value,
      actor: { type: value, id: 5 },
      id: value,
      occurred_at: value,
      context: { ip_address: value },
    };
    expect(detailsOf(wrong).length).toBe(7);
    expect(detailsOf(wrong).join()).not.toContain(value);
  });

  it('lists at most twenty flaws, and looks at no more than eleven related targets', () => {
    expect(
      flawsOf({
        ...base,
        ...Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x${index}`, 1])),
      }).length,
    ).toBe(20);
    const start = performance.now();
    expect(flawsOf({ ...base, related_targets: Array.from({ length: 1_000_000 }, () => ({})) })).toEqual([
      '/related_targets too_long',
    ]);
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('never throws, whatever it is given', () => {
    const field = fc.constantFrom(...Object.keys(auditEvent.shape), 'x', '__proto__');
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.dictionary(field, fc.anything())), (raw) => {
        expect(typeof validateEvent(raw, { now, checkWindow: true }).ok).toBe('boolean');
      }),
    );
  });

  it('can be described as JSON Schema', () => {
    expect(z.toJSONSchema(auditEvent)).toMatchObject({
      additionalProperties: false,
      required: ['action', 'actor', 'target'],
      properties: { action: { minLength: 1, maxLength: 128, pattern: expect.any(String) } },
    });
  });
});
