import fc from 'fast-check';
import { setMember } from '../../src/events/member.ts';
import { anEvent } from './client.ts';

/** A request body for one of the routes that take events. */
export interface RandomBody {
  route: '/v1/events' | '/v1/events/batch';
  type: 'application/json' | 'application/x-ndjson';
  body: string | Uint8Array;
}

const NASTY = [
  '\0',
  'a\0b',
  '\ud800',
  '😀',
  '__proto__',
  'constructor',
  "'; DROP TABLE audit.events; --",
  '1e999',
  'x'.repeat(300),
  '999.1.1.1',
  '2026-02-30T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '00000000-0000-0000-0000-000000000000',
  '4111 1111 1111 1111',
  'Bearer abcdefghijklmnopqrstuvwxyz0123456789',
  '{"password":"{\\"token\\":\\"x\\"}"}',
  '',
];
const NUMBERS = [0, -0, 1, 1e20, 1e308, 5e-324, 2 ** 53, -(2 ** 31), 0.1];
const FIELDS = [
  'id workspace_id action occurred_at actor target related_targets outcome reason old_value new_value context',
  'metadata source_id version type name email on_behalf_of ip_address user_agent request_id session_id password',
]
  .join(' ')
  .split(' ');

const value = fc.oneof(
  fc.constantFrom<unknown>(...NASTY, ...NUMBERS, null, true, [], {}),
  fc.jsonValue({ maxDepth: 4 }),
);
const name = fc.oneof(fc.constantFrom(...FIELDS, ...NASTY), fc.string({ unit: 'binary', maxLength: 8 }));

const fields = {
  actor: { type: 'user', id: 'u_1', name: 'Ada', on_behalf_of: { type: 'agent', id: 'a' } },
  context: { ip_address: '203.0.113.7', user_agent: 'curl/8', request_id: 'r' },
  metadata: { a: [1, { b: null }] },
  related_targets: [{ type: 'folder', id: 'f' }],
  occurred_at: '2026-01-31T09:30:00Z',
};

/** A valid event in which some members, at any depth, are set to anything or taken away. */
const changedEvent = fc
  .array(fc.record({ at: fc.nat(), name, value: fc.option(value, { nil: undefined }) }), { maxLength: 3 })
  .map((changes) => {
    const event: Record<string, unknown> = structuredClone(anEvent(fields));
    for (const { at, name, value } of changes) {
      const places = objectsIn(event);
      const place = places[at % places.length];
      if (Array.isArray(place)) place.push(structuredClone(value));
      else if (place !== undefined) setMember(place, name, structuredClone(value));
    }
    return event;
  });

type Members = Record<string, unknown>;

function objectsIn(container: Members): Members[] {
  const inner = Object.values(container).filter(
    (member): member is Members => typeof member === 'object' && member !== null,
  );
  return [container, ...inner.flatMap(objectsIn)];
}

/** A text in which a few pieces are cut out or replaced. */
function damaged(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const wound = fc.record({
    at: fc.nat(),
    length: fc.nat(6),
    put: fc.string({ unit: 'binary-ascii', maxLength: 4 }),
  });
  return fc.tuple(text, fc.array(wound, { minLength: 1, maxLength: 3 })).map(([whole, wounds]) =>
    wounds.reduce((left, { at, length, put }) => {
      const start = at % (left.length + 1);
      return left.slice(0, start) + put + left.slice(start + length);
    }, whole),
  );
}

const eventText = changedEvent.map((event) => JSON.stringify(event));
const jsonText = fc.oneof(
  eventText,
  fc.json({ maxDepth: 6 }),
  value.map((any) => JSON.stringify(any)),
);
const batchText = fc.oneof(
  fc.array(fc.oneof(changedEvent, value), { maxLength: 4 }).map((events) => JSON.stringify({ events })),
  jsonText,
);
const linesText = fc
  .array(fc.oneof(jsonText, damaged(eventText)), { maxLength: 4 })
  .map((lines) => lines.join('\n'));
const bytes = fc.uint8Array({ maxLength: 400 });

/** Bodies of all kinds: noise, any JSON, events and batches with something changed or broken. */
export const randomBody: fc.Arbitrary<RandomBody> = fc.oneof(
  { weight: 4, arbitrary: one('/v1/events', 'application/json', eventText) },
  { weight: 2, arbitrary: one('/v1/events', 'application/json', damaged(eventText)) },
  { weight: 1, arbitrary: one('/v1/events', 'application/json', jsonText) },
  { weight: 1, arbitrary: one('/v1/events', 'application/json', bytes) },
  {
    weight: 2,
    arbitrary: one('/v1/events/batch', 'application/json', fc.oneof(batchText, damaged(batchText))),
  },
  { weight: 2, arbitrary: one('/v1/events/batch', 'application/x-ndjson', fc.oneof(linesText, bytes)) },
);

function one(route: RandomBody['route'], type: RandomBody['type'], body: fc.Arbitrary<string | Uint8Array>) {
  return body.map((body): RandomBody => ({ route, type, body }));
}
