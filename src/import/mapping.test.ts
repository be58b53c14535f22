import { describe, expect, test } from 'vitest';
import { ImportError } from './import-error.ts';
import { readMapping } from './mapping.ts';
import { PRESETS, presetOf } from './presets/preset.ts';
import { resolveColumns } from './resolve-columns.ts';

function faultOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ImportError) return error.message;
    throw error;
  }
  throw new Error('nothing is wrong');
}

const minimal = { name: 'mine', columns: { at: 'created_at', what: 'action' } };
const columns = (...names: string[]) => names.map((name) => ({ name, isJson: false }));

test.each(PRESETS)('the preset %s is a valid mapping', (name) => {
  expect(readMapping(undefined, presetOf(name)).name).toBe(name);
});

test.each(PRESETS)('the preset %s knows columns of personal data and of requests', (name) => {
  const mapping = readMapping(undefined, presetOf(name));
  const usual = ['ip_address', 'userEmail', 'SessionId', 'request_id', 'user_agent'];
  const isTime = ([, column]: [string, { field: string } | null]) => column?.field === 'created_at';
  const [time = ''] = Object.entries(mapping.columns).find(isTime) ?? [];
  const names = new Set([...(mapping.required ?? []), ...usual, time]);
  const { others, mapped } = resolveColumns(mapping, columns(...names));
  expect(others).toEqual([]);
  expect(mapped.map(({ field }) => field)).toEqual(
    expect.arrayContaining([
      'context.ip_address',
      'actor.email',
      'context.session_id',
      'context.request_id',
      'context.user_agent',
    ]),
  );
});

test('an unknown preset names the nearest', () => {
  expect(faultOf(() => presetOf('desktp'))).toContain('Did you mean desktop?');
});

describe('a mapping file', () => {
  test('is read, short forms and long ones', () => {
    expect(readMapping({ ...minimal, columns: { ...minimal.columns, junk: null } }).columns).toEqual({
      at: { field: 'created_at' },
      what: { field: 'action' },
      junk: null,
    });
  });

  test.each([
    [{ ...minimal, columns: { at: 'time' } }, 'columns.at.field'],
    [{ ...minimal, columns: { at: { field: 'created_at', knwon: [] } } }, 'columns.at'],
    [{ ...minimal, colums: {} }, 'colums'],
    [{ ...minimal, name: 'A b' }, 'name: Use lower-case'],
    [{ ...minimal, defaults: { 'actor.kind': 'user' } }, 'defaults'],
    ...['created_at', 'occurred_at', 'metadata', 'version'].map((field): [object, string] => [
      { ...minimal, defaults: { [field]: '2025-01-01' } },
      'defaults',
    ]),
    [{ ...minimal, without_actor: 'user' }, 'without_actor'],
    [[], 'the whole'],
    ['text', 'the whole'],
  ])('that is wrong names the place: %j', (file, place) => {
    expect(faultOf(() => readMapping(file))).toContain(place);
  });

  test('adds to a preset', () => {
    const mapping = readMapping(
      { name: 'office', columns: { when: 'created_at', timestamp: null } },
      presetOf('desktop'),
    );
    expect(mapping.name).toBe('office');
    expect(mapping.columns).toMatchObject({
      when: { field: 'created_at' },
      timestamp: null,
      id: { field: 'source_id' },
    });
    expect(mapping.without_actor).toBe('anonymous');
  });
});

describe('columns', () => {
  const mapping = readMapping({ ...minimal, required: ['what'] });

  test('that are required and missing are named, with the nearest', () => {
    expect(faultOf(() => resolveColumns(mapping, columns('at', 'whatt')))).toContain(
      'no column what. Is it whatt?',
    );
  });

  test('that are one for want of commas are told so', () => {
    expect(faultOf(() => resolveColumns(mapping, columns('at;what')))).toContain(
      'Its only column is "at;what": separate values by commas, not by ";".',
    );
  });

  test('that a person named must be there', () => {
    expect(faultOf(() => resolveColumns(mapping, columns('at', 'what'), ['who']))).toContain(
      'no column who.',
    );
  });

  test('must give a time', () => {
    expect(faultOf(() => resolveColumns(mapping, columns('what')))).toContain(
      'becomes created_at: there is none named at',
    );
  });

  test('cannot both become one field', () => {
    const twice = readMapping({ ...minimal, columns: { ...minimal.columns, since: 'created_at' } });
    expect(faultOf(() => resolveColumns(twice, columns('at', 'since', 'what')))).toContain(
      'at and since both become created_at',
    );
  });

  test('that nothing fits are kept apart', () => {
    expect(resolveColumns(mapping, columns('at', 'what', 'more')).others).toEqual(columns('more'));
  });
});
