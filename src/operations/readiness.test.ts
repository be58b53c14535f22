import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RevocationList } from '../auth/revocation.ts';
import type { Sql } from '../db/client.ts';
import type { Queue } from '../env.ts';
import type { DatabaseReadiness } from './database.ts';
import { toBacklog } from './queue.ts';
import { judge, Readiness } from './readiness.ts';

const DAY = 86_400;
const WELL: DatabaseReadiness = {
  partitions_ahead_s: { events: 90 * DAY, event_ips: DAY },
  retention_overdue: false,
  last_run_age_s: null,
};
const EMPTY = { messages: 0, bytes: 0, oldest: 0 };
const failing = (checks: ReturnType<typeof judge>) =>
  Object.entries(checks).flatMap(([name, { status }]) => (status === 'failing' ? [name] : []));

describe('a deployment', () => {
  test.each<[string, Parameters<typeof judge>, string[]]>([
    ['that has all it needs', [WELL, EMPTY], []],
    ['whose database is down', [undefined, EMPTY], ['database', 'partitions', 'retention']],
    ['whose queue is down', [WELL, undefined], ['queue']],
    ['whose retention is overdue', [{ ...WELL, retention_overdue: true }, EMPTY], ['retention']],
    ['whose oldest message waits for 15 minutes', [WELL, { ...EMPTY, oldest: 900 }], []],
    ['whose oldest message waits for longer', [WELL, { ...EMPTY, oldest: 901 }], ['queue']],
  ])('%s', (_, [database, backlog], expected) => {
    expect(failing(judge(database, backlog))).toEqual(expected);
  });

  test('without partitions names each table', () => {
    const ahead = { events: 0, event_ips: DAY - 1, event_targets: DAY };
    expect(judge({ ...WELL, partitions_ahead_s: ahead }, EMPTY).partitions).toEqual({
      status: 'failing',
      detail: 'events has none for now; event_ips has none in 24 hours.',
    });
  });
});

test.each([
  [new Date(40_000), 60],
  [40_000, 60],
  [0, 0],
  [undefined, 0],
  [101_000, 0],
])('an oldest message of %s is %d seconds old', (oldestMessageTimestamp, oldest) => {
  const metrics = {
    backlogCount: 2,
    backlogBytes: 30,
    ...(oldestMessageTimestamp !== undefined && { oldestMessageTimestamp }),
  };
  expect(toBacklog(metrics, 100_000)).toEqual({ messages: 2, bytes: 30, oldest });
});

describe('asking', () => {
  const SECOND = 1000;
  const START = 1_000_000;
  beforeEach(() => {
    vi.useFakeTimers({ now: START });
    vi.spyOn(console, 'error').mockImplementation(() => {});
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  const kept: Promise<unknown>[] = [];
  const waitUntil = (promise: Promise<unknown>) => void kept.push(promise);

  /** A readiness whose database answers each call by `answer`. */
  function readinessWith(answer: () => Promise<unknown[]> = async () => [{ answer: WELL }]) {
    const readings = vi.fn<() => Promise<unknown[]>>(answer);
    const query = (text: string) => (text.includes('readiness') ? readings() : Promise.resolve([]));
    // Nothing else of the driver, and of the queue, is used.
    const sql = { query } as unknown as Sql;
    const queue: Queue = {
      sendBatch: async () => {},
      metrics: async () => ({ backlogCount: 0, backlogBytes: 0 }),
    };
    const revocations = new RevocationList(sql);
    return { readings, revocations, readiness: new Readiness(sql, queue, revocations) };
  }

  /** Asks each second for so many seconds. @returns the seconds at which the database was asked */
  async function askFor(seconds: number, { readiness, readings }: ReturnType<typeof readinessWith>) {
    const at: number[] = [];
    for (let second = 0; second < seconds; second += 1) {
      const before = readings.mock.calls.length;
      await readiness.check(waitUntil);
      if (readings.mock.calls.length > before) at.push(second);
      await vi.advanceTimersByTimeAsync(SECOND);
    }
    return at;
  }

  test('asks a database that nobody else uses ever more rarely, up to every 15 minutes', async () => {
    const at = await askFor(5000, readinessWith());
    expect(at).toEqual([0, 3, 9, 21, 45, 93, 189, 381, 765, 1533, 2433, 3333, 4233]);
  });

  test('asks every 3 seconds where API keys are used', async () => {
    const setting = readinessWith();
    await askFor(700, setting);
    await setting.revocations.check('01a1fde2-e7c0-789f-9e35-bd1e3e0b69bd', waitUntil);
    expect(await askFor(15, setting)).toEqual([0, 3, 6, 9, 12]);
  });

  test('asks every 3 seconds while the database fails, and sees it return', async () => {
    const setting = readinessWith(() => Promise.reject(new TypeError('fetch failed')));
    expect(await askFor(15, setting)).toEqual([0, 3, 6, 9, 12]);
    setting.readings.mockResolvedValue([{ answer: WELL }]);
    expect((await setting.readiness.check(waitUntil)).ready).toBe(true);
  });

  test('asks once for all who wait, and no longer than five seconds', async () => {
    const setting = readinessWith(() => new Promise(() => {}));
    const waiting = Array.from({ length: 20 }, () => setting.readiness.check(waitUntil));
    await vi.advanceTimersByTimeAsync(5 * SECOND);
    const answers = await Promise.all(waiting);
    expect(answers.map(({ checks }) => checks.database.status)).toEqual(answers.map(() => 'failing'));
    expect(setting.readings).toHaveBeenCalledTimes(1);
  });

  test('keeps each renewal alive beyond its request', async () => {
    const { readiness } = readinessWith();
    kept.length = 0;
    await Promise.all([readiness.check(waitUntil), readiness.check(waitUntil)]);
    expect(await Promise.all(kept)).toEqual([WELL, EMPTY]);
  });

  test('goes on without a renewal whose request went away', async () => {
    const setting = readinessWith(() => new Promise(() => {}));
    const first = setting.readiness.check(waitUntil);
    await vi.advanceTimersByTimeAsync(5 * SECOND);
    await first;
    setting.readings.mockResolvedValue([{ answer: WELL }]);
    expect((await setting.readiness.check(waitUntil)).ready).toBe(true);
  });
});
