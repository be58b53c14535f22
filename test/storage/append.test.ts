import { describe, expect, it } from 'vitest';
import { joinRows } from '../../src/db/append.ts';
import { appendOnce } from '../../src/db/append-once.ts';
import { makeId } from '../../src/events/id.ts';
import { onBothEngines } from '../support/on-engines.ts';
import { readRow } from '../support/row-literal.ts';
import { appendRows, prepared, withAddress, type Row } from '../support/rows.ts';
import { refusalOf } from '../support/sqlstate.ts';

const DAY = 86_400_000;

onBothEngines('audit.append', (database) => {
  const append = (rows: Row[], atomic?: boolean) => appendRows(database().app, rows, atomic);
  const stored = (id: string) =>
    database().owner.query('SELECT * FROM audit.events WHERE id = $1 ORDER BY workspace_id', [id]);
  const addressesOf = async (id: string) =>
    (
      await database().owner.query(
        'SELECT host(ip_address) AS address FROM audit.event_ips WHERE event_id = $1',
        [id],
      )
    ).map(({ address }) => String(address));

  it('stores an event with its address, its related targets and an entry that waits to be sealed', async () => {
    const related_targets = [{ type: 'team', id: 't_1', name: 'Ops' }, { type: 'plan' }, { type: 'plan' }];
    const context = { ip_address: '::ffff:192.0.2.7', user_agent: 'curl', request_id: 'r_1' };
    const event = prepared({
      related_targets,
      context,
      old_value: { a: 1 },
      new_value: [2],
      metadata: { k: 'v' },
    });
    expect(await append([event])).toEqual([]);

    const [row] = await stored(event.id);
    expect(row).toMatchObject({
      workspace_id: 'acme',
      action: 'user.logged_in',
      actor_type: 'user',
      actor_id: 'u_1',
      outcome: 'success',
      version: 1,
      user_agent: 'curl',
      request_id: 'r_1',
      old_value: { a: 1 },
      new_value: [2],
      metadata: { k: 'v' },
    });
    expect(await addressesOf(event.id)).toEqual(['192.0.2.7']);
    const targets = await database().owner.query(
      'SELECT target_type, target_id, created_at FROM audit.event_targets WHERE event_id = $1 ORDER BY 1',
      [event.id],
    );
    const created_at = new Date(event.createdAt);
    expect(targets).toEqual([
      { target_type: 'plan', target_id: null, created_at },
      { target_type: 'team', target_id: 't_1', created_at },
    ]);
    const pending = await database().owner.query(
      `SELECT workspace_id, created_at, encode(leaf_hash, 'hex') AS leaf_hash FROM audit.log_pending WHERE id = $1`,
      [event.id],
    );
    expect(pending).toEqual([{ workspace_id: 'acme', created_at, leaf_hash: event.leafHash }]);
  });

  it('takes created_at from the id, to the millisecond', async () => {
    // The first half of the current second's milliseconds and their neighbours, where rounding would show.
    const second = Math.floor(Date.now() / 1000) * 1000;
    const events = Array.from({ length: 500 }, (_, ms) =>
      prepared({}, { workspaceId: 'clock', at: second - 2 * ms - 1 }),
    );
    expect(await append(events)).toEqual([]);
    const rows = await database().owner.query(
      `SELECT id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS at FROM audit.events WHERE workspace_id = 'clock'`,
    );
    const expected = events.map(({ id, createdAt }) => [id, `${createdAt.slice(0, -1)}000`]);
    expect(Object.fromEntries(rows.map(({ id, at }) => [id, at]))).toEqual(Object.fromEntries(expected));
  });

  it('does nothing with an empty batch', async () => {
    expect(await append([])).toEqual([]);
    expect(await append([], true)).toEqual([]);
  });

  it('reports a repeated event as a duplicate, with the leaf hash of the stored one', async () => {
    const fields = {
      id: makeId(Date.now()),
      context: { ip_address: '192.0.2.1', user_agent: 'a' },
      metadata: { n: 1 },
    };
    const first = prepared(fields);
    const retry = prepared(fields);
    expect(retry.leafHash).not.toBe(first.leafHash);
    await append([first]);
    expect(await append([prepared(), retry])).toEqual([
      { index: 1, result: 'duplicate', leaf_hash: first.leafHash },
    ]);
    expect(await stored(first.id)).toHaveLength(1);
    expect(await addressesOf(first.id)).toHaveLength(1);
  });

  it('reports the same id with other content as a conflict and keeps the stored event', async () => {
    const first = prepared({ reason: 'first' });
    await append([first]);
    const other = prepared({ id: first.id, reason: 'second' });
    expect(await append([other])).toEqual([{ index: 0, result: 'conflict', leaf_hash: first.leafHash }]);
    expect(await stored(first.id)).toMatchObject([{ reason: 'first' }]);
  });

  it('classifies repetitions within one call against the first of them', async () => {
    const first = prepared({ reason: 'first' });
    const same = prepared({ id: first.id, reason: 'first' });
    const other = prepared({ id: first.id, reason: 'second' });
    expect(await append([first, same, other, prepared()])).toEqual([
      { index: 1, result: 'duplicate', leaf_hash: first.leafHash },
      { index: 2, result: 'conflict', leaf_hash: first.leafHash },
    ]);
    expect(await append([other, same])).toMatchObject([
      { index: 0, result: 'conflict' },
      { index: 1, result: 'duplicate' },
    ]);
  });

  it('stores the same id in two workspaces in one call, each its own event', async () => {
    const id = makeId(Date.now());
    const events = ['acme', 'globex'].map((workspaceId) =>
      prepared({ id, reason: workspaceId }, { workspaceId }),
    );
    expect(await append(events)).toEqual([]);
    expect(await stored(id)).toMatchObject([
      { workspace_id: 'acme', reason: 'acme' },
      { workspace_id: 'globex', reason: 'globex' },
    ]);
    expect(await append(events)).toMatchObject([{ result: 'duplicate' }, { result: 'duplicate' }]);
  });

  it('puts exactly what it stored into log_pending', async () => {
    const [known, fresh, twice] = [prepared(), prepared(), prepared()];
    await append([known]);
    await append([known, fresh, twice, twice]);
    const key = 'workspace_id, id, created_at, leaf_hash';
    const differing = await database().owner.query(
      `(SELECT ${key} FROM audit.log_pending EXCEPT ALL SELECT ${key} FROM audit.events)
       UNION ALL (SELECT ${key} FROM audit.events EXCEPT ALL SELECT ${key} FROM audit.log_pending)`,
    );
    expect(differing).toEqual([]);
    expect(await stored(fresh.id)).toHaveLength(1);
  });

  it('refuses the whole batch for one row that breaks a constraint, and names it', async () => {
    const good = prepared();
    const bad = { ...readRow(prepared().row), actor_type: 'robot' };
    const error = await refusalOf(append([good, bad]));
    expect(error).toMatchObject({ code: '23514', constraint: 'events_actor_type_check' });
    expect(await stored(good.id)).toEqual([]);
  });

  it('reports a missing partition as a check violation without a constraint name, and stores nothing', async () => {
    const good = prepared();
    const error = await refusalOf(append([good, prepared({}, { at: Date.UTC(2040, 0, 1) })]));
    expect(error.code).toBe('23514');
    expect(error.constraint ?? null).toBeNull();
    expect(await stored(good.id)).toEqual([]);
  });

  describe('in one piece', () => {
    it('stores nothing when one event conflicts, and tells which in the detail', async () => {
      const first = prepared({ reason: 'first' });
      await append([first]);
      const fresh = prepared();
      const other = prepared({ id: first.id, reason: 'second' });
      const error = await refusalOf(append([first, fresh, other], true));
      expect(error.code).toBe('23505');
      expect(JSON.parse(error.detail ?? '')).toEqual([
        { index: 0, result: 'duplicate', leaf_hash: first.leafHash },
        { index: 2, result: 'conflict', leaf_hash: first.leafHash },
      ]);
      expect(await stored(fresh.id)).toEqual([]);
    });

    it('stores the rest when there are only duplicates', async () => {
      const [known, fresh] = [prepared(), prepared()];
      await append([known]);
      expect(await append([known, fresh], true)).toMatchObject([{ index: 0, result: 'duplicate' }]);
      expect(await stored(fresh.id)).toHaveLength(1);
    });
  });

  describe('under a key', () => {
    const [hash, newer, other] = ['a', 'b', 'c'].map((digit) => digit.repeat(64));
    const once = (key: string, bodyHashes: unknown[], event = prepared()) => {
      const receipt = { id: event.id, workspace_id: 'acme', created_at: event.createdAt, redacted: [] };
      const keyed = { key, bodyHashes: bodyHashes.map(String), row: event.row, receipt };
      return appendOnce(database().app, keyed, AbortSignal.timeout(5000));
    };

    it('recognises a body by the hash of any secret, and keeps the first', async () => {
      const first = await once('rotated', [hash]);
      expect(first).toMatchObject({ outcome: 'stored', receipt: { result: 'committed' } });
      expect(await once('rotated', [newer, hash])).toEqual({ ...first, outcome: 'replayed' });
      expect(await once('rotated', [newer, other])).toEqual({ outcome: 'reused' });
    });

    it('keeps the key free where no partition holds the event yet', async () => {
      const future = prepared({}, { at: Date.now() + 400 * DAY });
      expect(await once('early', [hash], future)).toMatchObject({
        outcome: 'failed',
        failure: { sqlstate: '23514' },
      });
      expect(await once('early', [other])).toMatchObject({ outcome: 'stored' });
    });

    it('takes one event, no more and no less', async () => {
      const row = joinRows([prepared().row, prepared().row]);
      for (const rows of [row, '']) {
        const several = once('several', [hash], { ...prepared(), row: rows });
        expect(await several).toMatchObject({ outcome: 'failed', failure: { kind: 'refused' } });
      }
      expect(await once('several', [other])).toMatchObject({ outcome: 'stored' });
    });
  });

  describe('with addresses that are forgotten', () => {
    it('does not store an address that is past its time, only its commitment', async () => {
      const at = Date.now() - 91 * DAY;
      for (const parent of ['events', 'event_ips']) {
        await database().owner.query('SELECT audit.make_partition($1, $2)', [parent, new Date(at)]);
      }
      const event = withAddress('192.0.2.91', { at });
      expect(await append([event])).toEqual([]);
      expect(await addressesOf(event.id)).toEqual([]);
      const [row] = await stored(event.id);
      expect(row?.['ip_commitment']).not.toBeNull();
    });

    it('counts a forgotten address as equal, but not that there never was one', async () => {
      const event = withAddress('192.0.2.5');
      await append([event]);
      await database().owner.query('DELETE FROM audit.event_ips WHERE event_id = $1', [event.id]);
      const retry = (context: Record<string, unknown>) => append([prepared({ id: event.id, context })]);
      expect(await retry({ ip_address: '192.0.2.5' })).toMatchObject([{ result: 'duplicate' }]);
      expect(await retry({ ip_address: '192.0.2.6' })).toMatchObject([{ result: 'duplicate' }]);
      expect(await retry({})).toMatchObject([{ result: 'conflict' }]);
    });

    it('counts an address past its time as forgotten even while its table is still there', async () => {
      const at = Date.now() - 2 * DAY;
      const event = withAddress('192.0.2.5', { at });
      await append([event]);
      const other = prepared({ id: event.id, context: { ip_address: '192.0.2.6' } });
      expect(await append([other])).toMatchObject([{ result: 'conflict' }]);
      await database().owner.query('UPDATE audit.settings SET ip_retention_hours = 24');
      expect(await append([other])).toMatchObject([{ result: 'duplicate' }]);
      await database().owner.query('UPDATE audit.settings SET ip_retention_hours = DEFAULT');
    });
  });
});
