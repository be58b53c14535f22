import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashBody } from './idempotency.ts';

const json = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 });

/** The same value with the members of every object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, reversed(member)]),
  );
}

describe('the hash of a body', () => {
  it('is the HMAC-SHA-256 of its canonical JSON under each secret', () => {
    const text = 'daybook.idempotency-key.v1\n{"a":[1,"é"],"b":null}';
    const of = (secret: string) => createHmac('sha256', secret).update(text).digest('hex');
    const body = JSON.parse('{"b": null, "a": [1.0, "\\u00e9"]}');
    expect(hashBody(body, ['new', 'old'])).toEqual([of('new'), of('old')]);
  });

  it('ignores the order of members, and nothing else', () => {
    fc.assert(
      fc.property(json, json, (body, other) => {
        const [hash] = hashBody(body, ['secret']);
        expect(hashBody(reversed(body), ['secret'])).toEqual([hash]);
        const isSame = JSON.stringify(sorted(body)) === JSON.stringify(sorted(other));
        expect(hashBody(other, ['secret'])[0] === hash).toBe(isSame);
      }),
    );
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]): [string, unknown] => [name, sorted(member)]);
  return members.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
