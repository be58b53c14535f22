import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeId } from '../../src/events/id.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { COLUMNS } from '../support/row-literal.ts';
import { appendRows } from '../support/rows.ts';

/** A value and another one for each column of `audit.incoming_event` that is the event's content. */
const CONTENT: Record<string, readonly [unknown, unknown]> = {
  occurred_at: ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.001Z'],
  action: ['task.created', 'task.deleted'],
  version: [2, 3],
  actor_type: ['user', 'service'],
  actor_id: ['u_1', 'u_2'],
  actor_name: ['Ada', 'Bob'],
  actor_email: ['ada@example.com', 'bob@example.com'],
  on_behalf_of_type: ['user', 'agent'],
  on_behalf_of_id: ['u_8', 'u_9'],
  target_type: ['task', 'project'],
  target_id: ['t_1', 'T_1'],
  target_name: ['One', 'one'],
  related_targets: [[{ type: 'team', id: '1' }], [{ type: 'team', id: '2' }]],
  related_target_names: [['Ops'], ['Dev']],
  outcome: ['failure', 'denied'],
  reason: ['because', ''],
  old_value: [{ a: [1, 2] }, { a: [2, 1] }],
  new_value: [1, '1'],
  metadata: [{ a: null }, {}],
  user_agent: ['curl/8', 'curl/9'],
  request_id: ['r_1', 'r_2'],
  session_id: ['s_1', 's_2'],
  source_id: ['1', '01'],
  ip_address: ['192.0.2.1', '192.0.2.2'],
};

/** What differs between two tries to send the same event, or tells of it only. */
const CIRCUMSTANCE: Record<string, readonly [unknown, unknown]> = {
  key_id: ['019c0000-0000-7000-8000-000000000001', '019c0000-0000-7000-8000-000000000002'],
  size: [100, 101],
  leaf_hash: [hex('a1', 32), hex('a2', 32)],
  ip_commitment: [hex('b1', 32), hex('b2', 32)],
  person_commitment: [hex('c1', 32), hex('c2', 32)],
  payload_commitment: [hex('d1', 32), hex('d2', 32)],
  ip_salt: [hex('e1', 16), hex('e2', 16)],
  person_salt: [hex('f1', 16), hex('f2', 16)],
  payload_salt: [hex('f3', 16), hex('f4', 16)],
};

const REQUIRED = new Set(['action', 'actor_type', 'actor_id', 'target_type', 'size', 'leaf_hash', 'ip_salt']);
/** A group is forgotten by its salt: that it ever was is content, in the presence of its commitment. */
const COMMITMENTS = ['ip_commitment', 'person_commitment', 'payload_commitment'];

function hex(byte: string, length: number): string {
  return `\\x${byte.repeat(length)}`;
}

function aRow(change: Record<string, unknown> = {}): Record<string, unknown> & { id: string } {
  const columns = Object.entries({ ...CONTENT, ...CIRCUMSTANCE });
  const row = Object.fromEntries(columns.map(([column, [value]]) => [column, value]));
  return { workspace_id: 'acme', id: makeId(Date.now()), ...row, ...change };
}

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase('postgres');
});
afterAll(() => database.close());

async function resent(
  row: Record<string, unknown>,
  change: Record<string, unknown>,
): Promise<string | undefined> {
  await appendRows(database.app, [row]);
  const [answer] = await appendRows(database.app, [{ ...row, ...change }]);
  return answer?.result;
}

it('knows every column of audit.incoming_event as content or as circumstance', async () => {
  const columns = await database.owner.query(
    `SELECT attname FROM pg_attribute WHERE attrelid = 'audit.incoming_event'::regclass AND attnum > 0 ORDER BY attnum`,
  );
  const known = ['workspace_id', 'id', ...Object.keys(CONTENT), ...Object.keys(CIRCUMSTANCE)];
  expect(COLUMNS.toSorted()).toEqual(known.toSorted());
  expect(columns.map(({ attname }) => attname)).toEqual(COLUMNS);
});

it.each(Object.entries(CONTENT))('another %s under the same id is a conflict', async (column, [, other]) => {
  expect(await resent(aRow(), { [column]: other })).toBe('conflict');
});

it.each(Object.keys(CONTENT).filter((column) => !REQUIRED.has(column)))(
  'an absent %s under the same id is a conflict, on either side',
  async (column) => {
    const full = aRow();
    expect(await resent(full, { [column]: undefined })).toBe('conflict');
    // An address is stored with its salt or not at all, so its absence shows in the commitment.
    if (column === 'ip_address') return;
    const lacking = aRow({ [column]: undefined });
    expect(await resent(lacking, { [column]: full[column] })).toBe('conflict');
  },
);

it.each(Object.entries(CIRCUMSTANCE))(
  'another %s under the same id is a duplicate',
  async (column, [, other]) => {
    expect(await resent(aRow(), { [column]: other })).toBe('duplicate');
  },
);

it.each(COMMITMENTS)('an absent %s under the same id is a conflict', async (column) => {
  expect(await resent(aRow(), { [column]: undefined })).toBe('conflict');
});

it('the same numbers written differently are a duplicate', async () => {
  const row = aRow({ metadata: { n: 100, list: [1.5] } });
  await appendRows(database.app, [row]);
  const text = JSON.stringify({ ...row, metadata: 0 }).replace(
    '"metadata":0',
    '"metadata":{"list":[1.50],"n":1e2}',
  );
  const [answer] = await database.app.query('SELECT audit.append($1::jsonb) AS not_stored', [`[${text}]`]);
  expect(answer?.['not_stored']).toMatchObject([{ result: 'duplicate' }]);
});

it('a person or a payload that was erased counts as equal', async () => {
  const person = [
    'actor_name',
    'actor_email',
    'target_name',
    'related_target_names',
    'user_agent',
    'session_id',
  ];
  const payload = ['reason', 'old_value', 'new_value', 'metadata'];
  for (const [salt, columns] of [
    ['person_salt', person],
    ['payload_salt', payload],
  ] as const) {
    const erased = aRow(Object.fromEntries([salt, ...columns].map((column) => [column, null])));
    const original = { ...aRow(), id: erased.id };
    await appendRows(database.app, [erased]);
    expect(await appendRows(database.app, [original])).toMatchObject([{ result: 'duplicate' }]);
    // What is not of the group still counts.
    expect(await appendRows(database.app, [{ ...original, request_id: 'r_2' }])).toMatchObject([
      { result: 'conflict' },
    ]);
  }
});
