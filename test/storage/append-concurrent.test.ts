import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { appendStatement, prepared, withAddress, type Row } from '../support/rows.ts';
import type { PreparedEvent } from '../../src/events/prepare.ts';
import { openSession, waitsForLock } from '../support/session.ts';
import { THOROUGH } from '../support/thorough.ts';

const CLIENTS = 20;
const STRESS_SECONDS = THOROUGH ? 30 : 4;

let database: TestDatabase;
let sessions: pg.Client[];
beforeAll(async () => {
  database = await startDatabase('postgres');
  sessions = await Promise.all(Array.from({ length: CLIENTS }, () => openSession(database, 'app')));
});
afterAll(async () => {
  await Promise.all(sessions.map((session) => session.end()));
  await database.close();
});

interface NotStored {
  index: number;
  result: string;
}

async function append(session: pg.Client | undefined, rows: Row[]): Promise<NotStored[]> {
  const answer = await session?.query(appendStatement(rows));
  return answer?.rows[0]?.not_stored;
}

const countOf = async (workspaceId: string) => {
  const [row] = await database.owner.query(
    'SELECT count(*)::int AS n FROM audit.events WHERE workspace_id = $1',
    [workspaceId],
  );
  return row?.['n'];
};

it('stores each of the same events once when many sessions append them at once; the others see duplicates', async () => {
  const events = Array.from({ length: 50 }, () => prepared({}, { workspaceId: 'same' }));
  const answers = await Promise.all(sessions.map((session) => append(session, events)));
  expect(await countOf('same')).toBe(50);
  const others = answers.flat();
  expect(others).toHaveLength((CLIENTS - 1) * 50);
  expect(new Set(others.map(({ result }) => result))).toEqual(new Set(['duplicate']));
});

it('waits for a session that stores the same event, and then tells what became of it', async () => {
  const [first, second] = sessions;
  for (const [ending, results] of [
    ['COMMIT', ['conflict']],
    ['ROLLBACK', []],
  ] as const) {
    const event = prepared({ reason: 'first' }, { workspaceId: 'waiting' });
    await first?.query('BEGIN');
    await append(first, [event]);
    const answer = append(second, [prepared({ id: event.id, reason: 'second' }, { workspaceId: 'waiting' })]);
    await waitsForLock(database, second);
    await first?.query(ending);
    expect((await answer).map(({ result }) => result)).toEqual(results);
  }
});

it('under a key waits for a session that uses the same key, and then tells what became of it', async () => {
  const [first, second] = sessions;
  for (const [ending, outcome] of [
    ['COMMIT', 'replayed'],
    ['ROLLBACK', 'stored'],
  ] as const) {
    const once = async (session: pg.Client | undefined) => {
      const { row } = prepared({}, { workspaceId: 'keyed' });
      const values = [ending, ['ab'.repeat(32)], row, '{}'];
      const answer = await session?.query('SELECT audit.append_once($1, $2, $3, $4) AS answer', values);
      return answer?.rows[0]?.answer;
    };
    await first?.query('BEGIN');
    const { receipt } = await once(first);
    const answer = once(second);
    await waitsForLock(database, second);
    await first?.query(ending);
    const { outcome: told, receipt: given } = await answer;
    expect([told, given.leaf_hash === receipt.leaf_hash]).toEqual([outcome, outcome === 'replayed']);
  }
  expect(await countOf('keyed')).toBe(2);
});

it('locks no partitions but those of the batch when it classifies duplicates', async () => {
  const session = await openSession(database, 'app');
  const event = withAddress('192.0.2.1', { workspaceId: 'locks' });
  await append(session, [event]);
  await session.query('BEGIN');
  expect(await append(session, [event])).toMatchObject([{ result: 'duplicate' }]);
  const { rows } = await session.query(
    `SELECT relname FROM pg_locks JOIN pg_class c ON c.oid = relation
     WHERE pid = pg_backend_pid() AND relispartition AND relkind = 'r' AND relname ~ '^event_ips_p'`,
  );
  expect(rows).toHaveLength(1);
  await session.query('ROLLBACK');
  await session.end();
});

it(
  `survives ${CLIENTS} clients with overlapping batches in different orders for ${STRESS_SECONDS} s: no deadlock, no event missing`,
  async () => {
    const workspaces = ['stress-a', 'stress-b', 'stress-c'];
    const events: PreparedEvent[] = [];
    const eventAt = (index: number) =>
      (events[index] ??= prepared(
        { context: { ip_address: `10.0.${index % 200}.1` }, related_targets: [{ type: 'team', id: 't' }] },
        { workspaceId: workspaces[index % 3] ?? '' },
      ));
    // Each client takes the next window, most of which its neighbours send too.
    let front = 0;
    const window = () => {
      const from = front;
      front += 10;
      return Array.from({ length: 60 }, (_, offset) => eventAt(from + offset));
    };

    const end = performance.now() + STRESS_SECONDS * 1000;
    const stored = new Map<string, number>();
    const results = new Set<string>();
    const work = sessions.map(async (session) => {
      while (performance.now() < end) {
        const batch = shuffled(window());
        const others = await append(session, batch);
        const indexes = new Set(others.map(({ index }) => index));
        for (const { result } of others) results.add(result);
        for (const [index, { id }] of batch.entries()) {
          if (!indexes.has(index)) stored.set(id, (stored.get(id) ?? 0) + 1);
        }
        // Leaves the machine to other test files about half of the time.
        await pause(Math.random() * 150);
      }
    });
    await Promise.all(work);

    expect(events.length).toBeGreaterThan(1000);
    expect(results).toEqual(new Set(['duplicate']));
    const told = [...stored.values()];
    expect(told.every((times) => times === 1)).toBe(true);
    expect(told).toHaveLength(events.length);
    const counts = await Promise.all(workspaces.map(countOf));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(events.length);
    const [addresses] = await database.owner.query(
      `SELECT count(*)::int AS n FROM audit.event_ips WHERE workspace_id LIKE 'stress-%'`,
    );
    expect(addresses?.['n']).toBe(events.length);

    // Sessions report to the statistics when they end.
    await Promise.all(sessions.map((session) => session.end()));
    const [statistics] = await database.superuser.query(
      'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(statistics).toEqual({ deadlocks: 0 });
  },
  (STRESS_SECONDS + 30) * 1000,
);

function shuffled<T>(values: T[]): T[] {
  return values
    .map((value) => ({ value, order: Math.random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ value }) => value);
}
