import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/db/doctor/compare.ts';
import snapshot from '../../src/db/doctor/schema-snapshot.json' with { type: 'json' };
import { readMigrations } from '../../src/db/migrate.ts';
import { runRetention } from '../../src/retention/run.ts';
import { DAY } from '../support/aged.ts';
import { onEngines } from '../support/on-engines.ts';
import { appendRows, prepared, withAddress } from '../support/rows.ts';

/** A time, and the partition of each kind that holds it. */
const EDGES: [string, string, string, [string, string], [string, string]][] = [
  ['the last moment of a leap February', '2028-02-29T23:59:59.999Z', '202802 20280229', ['2028-02-01', '2028-03-01'], ['2028-02-29', '2028-03-01']],
  ['the end of a February without a leap day', '2027-02-28T12:00:00Z', '202702 20270228', ['2027-02-01', '2027-03-01'], ['2027-02-28', '2027-03-01']],
  ['a century that is no leap year', '2100-02-28T23:59:59.999Z', '210002 21000228', ['2100-02-01', '2100-03-01'], ['2100-02-28', '2100-03-01']],
  ['the last moment of a year', '2026-12-31T23:59:59.999Z', '202612 20261231', ['2026-12-01', '2027-01-01'], ['2026-12-31', '2027-01-01']],
  ['the first moment of a year', '2027-01-01T00:00:00Z', '202701 20270101', ['2027-01-01', '2027-02-01'], ['2027-01-01', '2027-01-02']],
  ['the first moment of a month of 30 days', '2027-04-01T00:00:00Z', '202704 20270401', ['2027-04-01', '2027-05-01'], ['2027-04-01', '2027-04-02']],
  ['a night that has 25 hours in New York', '2027-11-07T04:30:00Z', '202711 20271107', ['2027-11-01', '2027-12-01'], ['2027-11-07', '2027-11-08']],
]; // prettier-ignore

/** Ends of the earth, a half hour, summer time, and one whose days are 1 and 47 hours long around a week from now. */
const ZONES = [
  'UTC',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'Asia/Kolkata',
  'America/New_York',
  oddZone(),
];

function oddZone(): string {
  const dayOfYear = (days: number) => {
    const date = new Date(Date.now() + days * DAY);
    return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY);
  };
  return `AAA0BBB-23,${dayOfYear(3)}/0,${dayOfYear(9)}/0`;
}

onEngines('partitions', ['pglite'], (database) => {
  /** Runs a query in a session whose clock shows another time zone. */
  async function inZone(zone: string, query: string, params: unknown[] = []) {
    const { owner } = database();
    const set = owner.query(`SELECT set_config('timezone', $1, true)`, [zone]);
    const [, rows] = await owner.transaction([set, owner.query(query, params)]);
    return rows ?? [];
  }

  describe.each(ZONES)('in a session of time zone %s', (zone) => {
    it.each(EDGES)('are cut by UTC at %s', async (_name, at, names, month, day) => {
      const [monthName, dayName] = names.split(' ');
      const expected = [
        { name: `event_ips_p${dayName}`, bounds: day },
        { name: `event_targets_p${monthName}`, bounds: month },
        { name: `events_p${monthName}`, bounds: month },
      ].map(({ name, bounds }) => {
        const [lower_bound, upper_bound] = bounds.map((date) => new Date(`${date}T00:00:00Z`));
        return { name, lower_bound, upper_bound };
      });
      const query =
        'SELECT b.* FROM audit.partition_policy p, audit.partition_at(p.parent, $1::timestamptz) b ORDER BY 1';
      expect(await inZone(zone, query, [at])).toEqual(expected);
    });

    it('are due as in UTC, a year ahead', async () => {
      await database().owner.query('UPDATE audit.settings SET days_ahead = 370, months_ahead = 24');
      const due = `SELECT task, partition, due_at FROM audit.retention_due ORDER BY step, due_at, partition`;
      const expected = await inZone('UTC', due);
      expect(expected.length).toBeGreaterThan(370);
      expect(await inZone(zone, due)).toEqual(expected);
      const expiry = 'SELECT name, expires_at FROM audit.partitions ORDER BY name';
      expect(await inZone(zone, expiry)).toEqual(await inZone('UTC', expiry));
      await database().owner.query('UPDATE audit.settings SET days_ahead = DEFAULT, months_ahead = DEFAULT');
    });
  });

  it('hold the first and the last moment of their time, made in any time zone', async () => {
    for (const [index, [, at]] of EDGES.entries()) {
      for (const parent of ['events', 'event_targets', 'event_ips']) {
        const query = `SELECT CASE WHEN to_regclass('audit.' || name) IS NULL THEN audit.make_partition($1, $2) END FROM audit.partition_at($1, $2)`;
        await inZone(ZONES[index % ZONES.length] ?? '', query, [parent, at]);
      }
    }
    const { owner, app } = database();
    // Days of their own; a month's are in it, and have an address only where the day was made.
    for (const [kind, bounds] of EDGES.flatMap(
      ([, , , month, day]) =>
        [
          ['month', month],
          ['day', day],
        ] as const,
    )) {
      for (const at of [Date.parse(bounds[0]), Date.parse(bounds[1]) - 1]) {
        const event = kind === 'day' ? withAddress('192.0.2.1', { at }) : prepared({}, { at });
        await appendRows(app, [event]);
        const utc = new Date(at).toISOString();
        const rows = await owner.query(
          `SELECT e.tableoid::regclass::text AS month, a.tableoid::regclass::text AS day
           FROM audit.events e LEFT JOIN audit.event_ips a ON a.event_id = e.id WHERE e.id = $1`,
          [event.id],
        );
        const month = `audit.events_p${utc.slice(0, 7).replace('-', '')}`;
        const day = kind === 'day' ? `audit.event_ips_p${utc.slice(0, 10).replaceAll('-', '')}` : null;
        expect(rows).toEqual([{ month, day }]);
      }
    }
  });
});

onEngines('partitions ahead', ['pglite', 'postgres'], (database) => {
  const until = async () => {
    const rows = await database().owner.query(
      'SELECT parent, max(upper_bound) AS until FROM audit.partitions WHERE attached GROUP BY parent',
    );
    return Object.fromEntries(rows.map((row) => [row['parent'], (row['until'] as Date).getTime()]));
  };
  const monthsAhead = (count: number) => {
    const now = new Date();
    return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + count + 1, 1);
  };

  it('reach three months and 35 days on, from 8 days back', async () => {
    expect(await until()).toEqual({
      events: monthsAhead(3),
      event_targets: monthsAhead(3),
      event_ips: Math.floor(Date.now() / DAY) * DAY + 36 * DAY,
    });
    expect(await database().owner.query('SELECT * FROM audit.retention_due')).toEqual([]);
    const oldest = prepared({ context: { ip_address: '192.0.2.1' } }, { at: Date.now() - 8 * DAY + 60_000 });
    expect(await appendRows(database().app, [oldest])).toEqual([]);
  });

  it('are made by a run as their siblings are, with indexes, triggers and row-level security', async () => {
    const { owner, app } = database();
    await owner.query('UPDATE audit.settings SET months_ahead = 5, days_ahead = 40');
    const { steps, postponed } = await runRetention(app, 'cron');
    expect(postponed).toEqual([]);
    expect(steps).toHaveLength(2 + 2 + 5);
    expect(steps.every(({ task }) => task === 'create')).toBe(true);
    expect(await until()).toMatchObject({ events: monthsAhead(5), event_targets: monthsAhead(5) });
    expect(await diagnose(owner, await readMigrations(), snapshot)).toEqual([]);
    expect((await runRetention(app, 'cron')).steps).toEqual([]);
  });
});
