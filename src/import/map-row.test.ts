import { describe, expect, test } from 'vitest';
import { rowMapper, type MappedRow } from './map-row.ts';
import { readMapping, type MappingInput } from './mapping.ts';
import { desktop } from './presets/desktop.ts';
import { controlPlane } from './presets/control-plane.ts';
import { gdpr } from './presets/gdpr.ts';
import { tasks } from './presets/tasks.ts';
import { workspace } from './presets/workspace.ts';
import { resolveColumns } from './resolve-columns.ts';
import type { Row } from './source.ts';

const AT = '2025-01-31 09:30:00';
const at = Date.UTC(2025, 0, 31, 9, 30);

function map(mapping: MappingInput, row: Row, json: readonly string[] = []): MappedRow {
  const columns = Object.keys(row).map((name) => ({ name, isJson: json.includes(name) }));
  const read = readMapping(mapping);
  return rowMapper(read, resolveColumns(read, columns))(row);
}

const desktopRow = { id: 'a-1', user_id: 'u-1', action: 'LOGIN', resource_type: 'SESSION', timestamp: AT };

describe('the desktop preset', () => {
  test('reads every column', () => {
    const row = {
      ...desktopRow,
      resource_id: 's-1',
      metadata: '{"a":1}',
      ip_address: '203.0.113.7',
      user_agent: 'curl',
    };
    expect(map(desktop, row)).toEqual({
      createdAt: at,
      occurredAt: undefined,
      reasons: [],
      fields: {
        source_id: 'a-1',
        'actor.id': 'u-1',
        'actor.type': 'user',
        action: 'LOGIN',
        'target.type': 'SESSION',
        'target.id': 's-1',
        metadata: { a: 1 },
        'context.ip_address': '203.0.113.7',
        'context.user_agent': 'curl',
      },
    });
  });

  test.each([
    ['{"a":1}', { a: 1 }],
    ['a sentence', { details: 'a sentence' }],
    ['[1,2]', { details: [1, 2] }],
    ['7', { details: 7 }],
    ['"text"', { details: 'text' }],
    ['', undefined],
    ['null', undefined],
    [null, undefined],
  ])('makes the details %j metadata', (details, metadata) => {
    expect(map(desktop, { ...desktopRow, details }).fields['metadata']).toEqual(metadata);
  });

  test.each([
    ['{"a":1}', '{"b":2}', { a: 1, b: 2 }],
    ['{"a":1}', '{"a":2}', { a: 1, details: { a: 2 } }],
    ['{"a":1}', 'text', { a: 1, details: 'text' }],
    ['text', 'text', { metadata: 'text', details: 'text' }],
    ['{"__proto__":1}', '{"b":2}', JSON.parse('{"__proto__":1,"b":2}')],
  ])('reconciles the metadata %j and the details %j', (metadata, details, expected) => {
    expect(map(desktop, { ...desktopRow, metadata, details }).fields['metadata']).toEqual(expected);
  });

  test('rejects what would hide something of the metadata', () => {
    const { reasons } = map(desktop, { ...desktopRow, metadata: '{"details":1}', details: 'text' });
    expect(reasons).toMatchObject([{ column: 'details', code: 'duplicate_name' }]);
  });

  test.each([
    ['action', 'LOGN', 'Was LOGIN meant?'],
    ['action', 'login', 'Was LOGIN meant?'],
    ['action', 'BAKE_CAKE', 'Known are LOGIN, LOGOUT'],
    ['resource_type', 'SESION', 'Was SESSION meant?'],
    ['resource_type', '', 'Known are'],
  ])('rejects the %s %j, and says which is near', (column, value, hint) => {
    expect(map(desktop, { ...desktopRow, [column]: value }).reasons).toEqual([
      { column, code: 'unknown_value', detail: expect.stringContaining(hint) },
    ]);
  });

  test('says everything that is wrong with a row', () => {
    const { reasons } = map(desktop, { ...desktopRow, action: null, resource_type: null, timestamp: 'then' });
    expect(reasons.map(({ column, code }) => `${column} ${code}`).sort()).toEqual([
      'action required',
      'resource_type required',
      'timestamp invalid_time',
    ]);
  });

  test('takes an outcome and its reason where the table has them, and keeps columns that it does not know', () => {
    const { fields } = map(desktop, {
      ...desktopRow,
      success: 0n,
      error_message: 'wrong',
      synced_at: AT,
      retries: 3n,
    });
    expect(fields).toMatchObject({
      outcome: 'failure',
      reason: 'wrong',
      metadata: { synced_at: AT, retries: 3 },
    });
  });

  test.each([
    ['t', 'success'],
    ['f', 'failure'],
  ])('reads the success %j of COPY', (success, outcome) => {
    expect(map(desktop, { ...desktopRow, success }).fields['outcome']).toBe(outcome);
  });

  test('makes nobody of no user', () => {
    expect(map(desktop, { ...desktopRow, user_id: null }).fields).toMatchObject({
      'actor.type': 'anonymous',
    });
  });

  test('finds columns written in camel case, as exports of apps have them', () => {
    const row = { id: 'a-1', userId: 'u-1', action: 'LOGIN', resourceType: 'SESSION', createdAt: AT };
    expect(map(desktop, row)).toMatchObject({
      createdAt: at,
      fields: { 'actor.id': 'u-1', 'target.type': 'SESSION' },
    });
  });
});

test('the control-plane preset wants a target id, and one of three kinds of actors', () => {
  const row = {
    actor_id: 'system',
    actor_type: 'system',
    action: 'key.rotated',
    target_type: 'secret',
    target_id: 's',
    created_at: AT,
  };
  expect(map(controlPlane, row)).toMatchObject({
    reasons: [],
    fields: { 'actor.type': 'system', 'actor.id': 'system' },
  });
  expect(map(controlPlane, { ...row, target_id: null }).reasons).toMatchObject([
    { column: 'target_id', code: 'required' },
  ]);
  expect(map(controlPlane, { ...row, actor_type: 'apikey' }).reasons[0]?.detail).toContain(
    'Was api_key meant?',
  );
});

test('the gdpr preset understands forgotten addresses, events before a login and users who are gone', () => {
  const row = {
    id: '936da01f-9abd-4d9d-80c7-02af85c822a8',
    user_id: null,
    user_email: 'ada@example.com',
    action: 'PERMISSION_DENIED',
    resource_type: 'MEMBER',
    old_value: '{"a":1}',
    new_value: '"text"',
    ip_address: '[anonymized]',
    created_at: '2025-01-31 09:30:00.123456+00',
  };
  const { fields, createdAt, reasons } = map(gdpr, row);
  expect(reasons).toEqual([]);
  expect(createdAt).toBe(at + 123);
  expect(fields).toMatchObject({
    source_id: row.id,
    'actor.type': 'anonymous',
    'actor.email': 'ada@example.com',
    old_value: { a: 1 },
    new_value: 'text',
  });
  expect(fields['context.ip_address']).toBeUndefined();
  expect(map(gdpr, { ...row, action: 'PERMISION_DENIED' }).reasons[0]?.detail).toContain(
    'Was PERMISSION_DENIED meant?',
  );
});

test('the tasks preset supplies the resource type from the action, and the system where there is no user', () => {
  const row = {
    id: 7n,
    action_type: 'attachment_uploaded',
    user_id: null,
    timestamp: AT,
    resource_type: null,
  };
  expect(map(tasks, row).fields).toMatchObject({
    source_id: '7',
    'actor.type': 'system',
    'target.type': 'attachment',
  });
  expect(map(tasks, { ...row, user_id: 3n, resource_type: 'task' }).fields).toMatchObject({
    'actor.type': 'user',
    'actor.id': '3',
    'target.type': 'task',
  });
  for (const action of ['task_archived', 'constructor'])
    expect(map(tasks, { ...row, action_type: action }).fields['target.type']).toBeUndefined();
});

test('the workspace preset takes the workspace from its column, and values before and after', () => {
  const row = {
    workspaceId: 'ws-1',
    userId: 'u',
    action: 'settings_changed',
    previousValue: '{"a":1}',
    newValue: '{"a":2}',
    createdAt: AT,
  };
  expect(map(workspace, row).fields).toMatchObject({
    workspace_id: 'ws-1',
    old_value: { a: 1 },
    new_value: { a: 2 },
    'target.type': 'settings',
  });
});

test('values of unknown columns stay what they are, JSON by type included', () => {
  const row = { ...desktopRow, doc: '{"a":[1]}', flag: true, blob: new Uint8Array([1, 2]), big: 2n ** 60n };
  expect(map(desktop, row, ['doc']).fields['metadata']).toEqual({
    doc: { a: [1] },
    flag: true,
    blob: { base64: 'AQI=' },
    big: '1152921504606846976',
  });
});
