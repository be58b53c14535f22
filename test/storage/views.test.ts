import { beforeAll, expect, it } from 'vitest';
import type { Sql } from '../../src/db/client.ts';
import { DAY, HOUR, storeAged } from '../support/aged.ts';
import { onBothEngines } from '../support/on-engines.ts';
import { appendRows, prepared } from '../support/rows.ts';

/** The flat shape that SQL users and BI tools expect. */
const COLUMNS = [
  'id', 'workspace_id', 'user_id', 'actor_id', 'actor_type', 'user_email', 'action', 'resource_type', 'resource_id',
  'target_type', 'target_id', 'details', 'metadata', 'old_value', 'new_value', 'ip_address', 'user_agent', 'created_at',
]; // prettier-ignore

onBothEngines('addresses and the view audit.audit_logs', (database) => {
  const ages = { young: 89 * DAY, justYoung: 90 * DAY - HOUR, justOld: 90 * DAY + HOUR, old: 91 * DAY };
  const ids: Record<string, string> = {};

  async function readAs(sql: Sql, workspaceId: string, query: string, params: unknown[] = []) {
    const set = sql.query(`SELECT set_config('daybook.workspace_id', $1, true)`, [workspaceId]);
    const [, rows] = (await sql.transaction([set, sql.query(query, params)])) as Record<string, unknown>[][];
    return rows ?? [];
  }

  beforeAll(async () => {
    for (const [name, age] of Object.entries(ages)) {
      ids[name] = await storeAged(database(), '2001:db8::1', { at: Date.now() - age });
    }
  });

  it('shows an address for 90 days and [anonymized] from then on, to the owner as to daybook_app', async () => {
    for (const sql of [database().owner, database().app]) {
      const rows = await readAs(sql, 'acme', 'SELECT id, ip_address FROM audit.audit_logs');
      expect(Object.fromEntries(rows.map(({ id, ip_address }) => [id, ip_address]))).toEqual({
        [String(ids['young'])]: '2001:db8::1',
        [String(ids['justYoung'])]: '2001:db8::1',
        [String(ids['justOld'])]: '[anonymized]',
        [String(ids['old'])]: '[anonymized]',
      });
    }
  });

  it('hides addresses past their time in event_ips from daybook_app, whatever it asks', async () => {
    const queries = [
      'SELECT event_id FROM audit.event_ips',
      `SELECT event_id FROM audit.event_ips WHERE ip_address = '2001:db8::1'`,
      `SELECT event_id FROM audit.event_ips WHERE ip_address >= '2001:db8::' AND ip_address < '2001:db9::'`,
      `SELECT event_id FROM audit.event_ips WHERE created_at < now() - interval '80 days'`,
    ];
    for (const query of queries) {
      const seen = (await readAs(database().app, 'acme', query)).map(({ event_id }) => event_id);
      expect(seen.toSorted()).toEqual([ids['young'], ids['justYoung']].toSorted());
    }
    expect(await database().owner.query('SELECT FROM audit.event_ips')).toHaveLength(4);
  });

  it('follows a shorter policy at once, and never a longer one', async () => {
    const { owner, app } = database();
    await owner.query('UPDATE audit.settings SET ip_retention_hours = 2000');
    expect(await readAs(app, 'acme', 'SELECT FROM audit.event_ips')).toEqual([]);
    const [row] = await readAs(owner, 'acme', 'SELECT ip_address FROM audit.audit_logs WHERE id = $1', [
      ids['young'],
    ]);
    expect(row).toEqual({ ip_address: '[anonymized]' });
    await expect(owner.query('UPDATE audit.settings SET ip_retention_hours = 2161')).rejects.toMatchObject({
      code: '23514',
    });
    await owner.query('UPDATE audit.settings SET ip_retention_hours = DEFAULT');
  });

  it('has the flat columns, in order', async () => {
    const columns = await database().owner.query(
      `SELECT attname FROM pg_attribute WHERE attrelid = 'audit.audit_logs'::regclass AND attnum > 0 ORDER BY attnum`,
    );
    expect(columns.map(({ attname }) => attname)).toEqual(COLUMNS);
  });

  it('names a user only where the actor is one, and no address where there was none', async () => {
    const byUser = prepared(
      { actor: { type: 'user', id: 'u_1', email: 'u@example.com' }, metadata: { a: 1 } },
      { workspaceId: 'flat' },
    );
    const bySystem = prepared(
      { actor: { type: 'system' }, target: { type: 'job', id: 'j_1' } },
      { workspaceId: 'flat' },
    );
    await appendRows(database().app, [byUser, bySystem]);
    const rows = await readAs(database().app, 'flat', 'SELECT * FROM audit.audit_logs ORDER BY id');
    expect(rows).toMatchObject([
      {
        id: byUser.id,
        user_id: 'u_1',
        user_email: 'u@example.com',
        details: { a: 1 },
        metadata: { a: 1 },
        ip_address: null,
      },
      {
        id: bySystem.id,
        user_id: null,
        actor_id: 'system',
        resource_type: 'job',
        resource_id: 'j_1',
        ip_address: null,
      },
    ]);
  });
});
