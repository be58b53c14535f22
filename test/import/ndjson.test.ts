import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeId } from '../../src/events/id.ts';
import { toBeDropped } from '../../src/import/report.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { DAY } from '../support/aged.ts';
import { importInto, scratch, storedOf } from './run.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase('postgres');
});
afterAll(() => database.close());

const event = {
  action: 'invoice.paid',
  actor: { type: 'user', id: 'u_1' },
  target: { type: 'invoice', id: 'i_1' },
};

async function file(lines: (string | object)[]): Promise<string> {
  const path = join(await scratch(), 'events.ndjson');
  await writeFile(
    path,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
  return path;
}

describe('events in NDJSON', () => {
  test('are stored at the time they have, however old', async () => {
    const at = Date.UTC(2019, 4, 6, 7, 8, 9, 10);
    const from = await file([
      { ...event, created_at: '2019-05-06T09:08:09.010+02:00' },
      { ...event, id: makeId(at) },
      { ...event, occurred_at: '2019-05-06T07:08:09.010Z', source_id: '42' },
    ]);
    const { report } = await importInto(database, { from, workspace: 'old' });
    expect(report).toMatchObject({ read: 3, stored: 3, rejected: 0, months: { '2019-05': 3 } });
    const stored = await storedOf(database, 'old');
    expect(stored.map((row) => row['created_at'])).toEqual(Array.from({ length: 3 }, () => new Date(at)));
    expect(stored.map((row) => row['occurred_at'])).toEqual(Array.from({ length: 3 }, () => new Date(at)));
    expect(stored.filter((row) => row['source_id'] === '42')).toHaveLength(1);
    expect(stored.every((row) => row['pending'] === 1)).toBe(true);
    const known = await database.owner.query(`SELECT id FROM audit.workspaces WHERE id = 'old'`);
    expect(known).toHaveLength(1);
  });

  test('are stored once, however often they are imported', async () => {
    const lines = Array.from({ length: 30 }, (_, n) => ({
      ...event,
      created_at: '2026-03-04T05:06:07.089Z',
      metadata: { n },
    }));
    const from = await file(lines);
    expect((await importInto(database, { from, workspace: 'again' })).report).toMatchObject({
      stored: 30,
      already: 0,
    });
    const before = await storedOf(database, 'again');
    expect((await importInto(database, { from, workspace: 'again' })).report).toMatchObject({
      stored: 0,
      already: 30,
    });
    expect(await storedOf(database, 'again')).toEqual(before);
  });

  test('as the API answers them are stored again, in another deployment', async () => {
    const answered = {
      ...event,
      id: makeId(Date.UTC(2025, 1, 1)),
      workspace_id: 'elsewhere',
      created_at: '2025-02-01T00:00:00.000Z',
      received_at: '2025-02-01T00:00:01.000Z',
      occurred_at: '2025-02-01T00:00:00.000Z',
      related_targets: [],
      context: { ip_address: '[anonymized]', user_agent: null, request_id: null, session_id: null },
      metadata: {},
      key_id: null,
      leaf_hash: 'ab'.repeat(32),
      commitments: { ip: null, person: null, payload: null },
    };
    const { report } = await importInto(database, { from: await file([answered]), workspace: 'other' });
    expect(report).toMatchObject({ read: 1, stored: 1 });
    expect(await storedOf(database, 'elsewhere')).toMatchObject([{ had_address: false }]);
    expect(await storedOf(database, 'other')).toEqual([]);
  });

  test('that cannot be stored are kept with the reason, and the others stored', async () => {
    const soon = new Date(Date.now() + DAY).toISOString();
    const bad: [string | object, string][] = [
      ['{"action": ', 'invalid_value'],
      ['[1, 2]', 'wrong_type'],
      ['"text"', 'wrong_type'],
      [`{"action": "a", "action": "b"}`, 'duplicate_name'],
      [event, 'required'],
      [{ ...event, created_at: 'yesterday' }, 'invalid_value'],
      [{ ...event, created_at: soon }, 'time_out_of_range'],
      [{ ...event, created_at: '1969-12-31T23:59:59.999Z' }, 'time_out_of_range'],
      [
        { ...event, id: makeId(Date.UTC(2025, 1, 1)), created_at: '2025-02-01T00:00:00.001Z' },
        'invalid_value',
      ],
      [{ ...event, id: '936da01f-9abd-4d9d-80c7-02af85c822a8' }, 'id_version'],
      [{ ...event, id: 7, created_at: '2025-02-01T00:00:00Z' }, 'wrong_type'],
      [{ ...event, created_at: '2025-02-01T00:00:00Z', workspace_id: 'daybook' }, 'invalid_value'],
      [{ ...event, created_at: '2025-02-01T00:00:00Z', workspace_id: '*' }, 'invalid_value'],
      [{ ...event, created_at: '2025-02-01T00:00:00Z', action: 'no action!' }, 'invalid_value'],
      [{ ...event, created_at: '2025-02-01T00:00:00Z', more: 1 }, 'unknown_field'],
      [{ ...event, created_at: '2025-02-01T00:00:00Z', reason: 'a\0b' }, 'nul_character'],
      [`{"reason": "${'x'.repeat(1024 * 1024)}"}`, 'too_large'],
    ];
    const good = { ...event, created_at: '2025-02-01T00:00:00Z' };
    const from = await file([...bad.map(([line]) => line), '', good]);
    const rejects = join(await scratch(), 'rejects.ndjson');
    const { report, rejects: kept } = await importInto(database, { from, workspace: 'bad' }, { rejects });
    expect(kept.map(({ reasons }) => reasons[0]?.code)).toEqual(bad.map(([, code]) => code));
    expect(report).toMatchObject({ read: bad.length + 1, stored: 1, rejected: bad.length });
    expect((await stat(rejects)).mode & 0o777).toBe(0o600);
  });

  test('are counted by reasons, not by names that they choose', async () => {
    const lines = Array.from({ length: 30 }, (_, n) => ({
      ...event,
      created_at: '2025-02-01T00:00:00Z',
      [`f${n}`]: 1,
    }));
    const { report } = await importInto(
      database,
      { from: await file(lines), workspace: 'named' },
      { dryRun: true },
    );
    expect(report.reasons).toEqual({ unknown_field: 30 });
  });

  test('without a workspace are rejected, unless they name one', async () => {
    const from = await file([
      { ...event, created_at: '2025-02-01T00:00:00Z' },
      { ...event, created_at: '2025-02-01T00:00:00Z', workspace_id: 'named' },
    ]);
    const { report, rejects } = await importInto(database, { from });
    expect(report).toMatchObject({ read: 2, stored: 1, rejected: 1 });
    expect(rejects[0]?.reasons[0]).toMatchObject({ pointer: '/workspace_id', code: 'no_workspace' });
    expect(report.reasons).toEqual({ 'workspace_id: no_workspace': 1 });
    expect(await storedOf(database, 'named')).toHaveLength(1);
  });

  test('with an id that is stored with other content are conflicts, and the stored one stays', async () => {
    const id = makeId(Date.UTC(2025, 1, 1));
    const from = await file([
      { ...event, id },
      { ...event, id, action: 'invoice.voided' },
    ]);
    const { report, rejects } = await importInto(database, { from, workspace: 'conflict' });
    expect(report).toMatchObject({ read: 2, stored: 1, rejected: 1, reasons: { conflict: 1 } });
    expect(rejects[0]?.row).toMatchObject({ action: 'invoice.voided' });
    expect(await storedOf(database, 'conflict')).toMatchObject([{ action: 'invoice.paid' }]);
  });

  test('that the database refuses are kept, and their neighbours stored', async () => {
    await database.owner.query(
      `ALTER TABLE audit.events ADD CONSTRAINT no_teapots CHECK (workspace_id <> 'teapot' OR target_type <> 'teapot')`,
    );
    const at = { created_at: '2025-02-01T00:00:00Z' };
    const from = await file([
      { ...event, ...at },
      { ...event, ...at, target: { type: 'teapot' } },
      { ...event, ...at, metadata: { n: 1 } },
    ]);
    const { report, rejects } = await importInto(database, { from, workspace: 'teapot' });
    expect(report).toMatchObject({ read: 3, stored: 2, rejected: 1, reasons: { 'refused 23514': 1 } });
    expect(rejects[0]?.reasons[0]?.detail).toContain('no_teapots');
  });
});

describe('addresses', () => {
  test('are kept while they are younger than 90 days, and committed to for ever', async () => {
    const at = (days: number) => new Date(Date.now() - days * DAY).toISOString();
    const context = { ip_address: '203.0.113.7' };
    const from = await file([
      { ...event, created_at: at(1), context },
      { ...event, created_at: at(60), context },
      { ...event, created_at: at(91), context },
      { ...event, created_at: at(1000), context },
    ]);
    expect((await importInto(database, { from, workspace: 'ips' })).report).toMatchObject({
      read: 4,
      stored: 4,
    });
    const stored = await storedOf(database, 'ips');
    expect(stored.map((row) => row['ip_address'])).toEqual([null, null, '203.0.113.7', '203.0.113.7']);
    expect(stored.every((row) => row['had_address'] === true)).toBe(true);
    expect((await importInto(database, { from, workspace: 'ips' })).report).toMatchObject({
      stored: 0,
      already: 4,
    });
  });
});

describe('events older than what is kept', () => {
  test('are counted as the next retention run drops them', async () => {
    const years = [2012, 2020, 2023, 2024, 2025, 2026];
    const lines = years.flatMap((year) =>
      Array.from({ length: 12 }, (_, month) => new Date(Date.UTC(year, month, 2)).toISOString()),
    );
    const past = lines.filter((time) => Date.parse(time) < Date.now());
    const from = await file(past.map((created_at) => ({ ...event, created_at })));
    const { report, retention } = await importInto(database, { from, workspace: 'aged' });
    const due = async () => {
      const [row] = await database.owner.query(
        `SELECT count(*)::int AS count FROM audit.events e JOIN audit.retention_due d
           ON d.task = 'detach' AND d.parent = 'events' AND e.tableoid = to_regclass('audit.' || d.partition)
         WHERE e.workspace_id = 'aged'`,
      );
      return row?.['count'];
    };
    const { events, needed } = toBeDropped(report, retention);
    expect(events).toBeGreaterThan(24);
    expect(await due()).toBe(events);
    await database.owner.query('UPDATE audit.settings SET event_retention_months = $1', [needed]);
    expect(await due()).toBe(0);
    await database.owner.query('UPDATE audit.settings SET event_retention_months = $1', [needed - 1]);
    expect(await due()).toBe(1);
  });
});

describe('a dry run', () => {
  test('tells the same and writes nothing to the database', async () => {
    const from = await file([{ ...event, created_at: '2011-02-01T00:00:00Z' }, { ...event }, 'no JSON']);
    const counts = async () =>
      database.owner.query(
        `SELECT (SELECT count(*) FROM audit.events) AS events, (SELECT count(*) FROM audit.workspaces) AS workspaces,
                (SELECT count(*) FROM pg_class WHERE relnamespace = 'audit'::regnamespace) AS relations`,
      );
    const before = await counts();
    const dry = await importInto(database, { from, workspace: 'dry' }, { dryRun: true });
    expect(await counts()).toEqual(before);
    const wet = await importInto(database, { from, workspace: 'dry' });
    expect(dry.report).toEqual(wet.report);
    expect(dry.rejects).toEqual(wet.rejects);
    expect(dry.report).toMatchObject({ read: 3, stored: 1, rejected: 2, months: { '2011-02': 1 } });
  });
});

describe('a strict workspace', () => {
  const at = '2025-02-01T00:00:00Z';
  const task = { actor: { type: 'system' }, target: { type: 'task' }, created_at: at };
  beforeAll(async () => {
    await database.owner.query(
      `SELECT audit.put_workspace('strict', '{"mode": "strict", "vocabularies": ["tasks"]}'::jsonb)`,
    );
  });

  test('takes what its catalogue has, and a dry run tells the same', async () => {
    const from = await file([
      { ...task, action: 'task_created' },
      { ...task, action: 'task_creatd', target: { type: 'tsk' } },
      { ...task, action: 'task_created', related_targets: [{ type: 'USER' }] },
      { ...task, action: 'anything', workspace_id: 'not-strict' },
    ]);
    const dry = await importInto(database, { from, workspace: 'strict' }, { dryRun: true });
    const wet = await importInto(database, { from, workspace: 'strict' });
    expect(dry.report).toEqual(wet.report);
    expect(dry.rejects).toEqual(wet.rejects);
    expect(wet.report).toMatchObject({
      read: 4,
      stored: 2,
      workspaces: [
        { id: 'strict', events: 1, is_new: false },
        { id: 'not-strict', events: 1, is_new: true },
      ],
      reasons: {
        'action: unknown_action': 1,
        'target: unknown_target_type': 1,
        'related_targets: unknown_target_type': 1,
      },
    });
    expect(wet.rejects[0]?.reasons).toMatchObject([
      { pointer: '/action', detail: expect.stringContaining('did you mean "task_created"') },
      { pointer: '/target/type', detail: expect.stringContaining('did you mean "task"?') },
    ]);
    expect(await storedOf(database, 'strict')).toMatchObject([{ action: 'task_created' }]);
  });

  test('names the columns at fault', async () => {
    const mapping = join(await scratch(), 'mapping.json');
    const columns = { did: 'action', kind: 'target.type', at: 'created_at' };
    await writeFile(mapping, JSON.stringify({ name: 'x', columns, defaults: { 'actor.type': 'system' } }));
    const from = mapping.replace('mapping.json', 'rows.csv');
    await writeFile(from, `did,kind,at\ntask_creatd,tsk,${at}\n`);
    const { report } = await importInto(database, { from, mapping, workspace: 'strict' }, { dryRun: true });
    expect(report.reasons).toEqual({ 'did: unknown_action': 1, 'kind: unknown_target_type': 1 });
  });
});
