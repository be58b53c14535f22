import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Group, WriteOutcome } from './group.ts';
import { failing, Ports, prepared } from './ports.fixture.ts';
import { Room } from './room.ts';
import { sendAccepted } from './send-accepted.ts';
import { sendQueued } from './send-queued.ts';
import { Writer } from './writer.ts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, 'error').mockReturnValue();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function write(ports: Ports, rows: readonly string[], { ack = 'accepted', ms = 30_000 } = {}) {
  const send = ack === 'accepted' ? sendAccepted(ports.database, ports.spill) : sendQueued(ports.spill);
  const writer = new Writer({ send, room: new Room(1e6) });
  const written = writer.write(rows.map((row) => prepared(row)));
  await vi.advanceTimersByTimeAsync(ms);
  return (await written).map(({ result }) => result);
}

describe('accepted events', () => {
  test('go to the database, and to the queue at once when that fails', async () => {
    const ports = new Ports();
    expect(await write(ports, ['a', 'b'], { ms: 0 })).toEqual(['committed', 'committed']);
    ports.databaseFails = true;
    expect(await write(ports, ['c', 'd'], { ms: 0 })).toEqual(['queued', 'queued']);
    expect(ports).toMatchObject({ stored: ['a', 'b'], queued: ['c', 'd'], calls: [2, 2] });
  });

  test('do not go to a database that is known to be down', async () => {
    const ports = new Ports({ threshold: 1 });
    ports.databaseFails = true;
    await write(ports, ['a'], { ms: 0 });
    expect(await write(ports, ['b'], { ms: 0 })).toEqual(['queued']);
    expect(ports).toMatchObject({ queued: ['a', 'b'], calls: [1] });
  });

  test('do not go to a database that holds up another call, unless the queue fails too', async () => {
    const ports = new Ports({ threshold: 1 });
    const heldUp = new Promise<boolean>((resolve) => setTimeout(resolve, 5000, true));
    const watched = ports.database.breaker.watch(heldUp, (succeeded) => !succeeded);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await write(ports, ['a'], { ms: 0 })).toEqual(['queued']);
    ports.queueFails = true;
    expect(await write(ports, ['b'], { ms: 500 })).toEqual(['committed']);
    expect(ports).toMatchObject({ queued: ['a'], stored: ['b'] });
    await vi.advanceTimersByTimeAsync(5000);
    await watched;
  });

  test('are never lost to calls that hang while others succeed, for the queue takes what would wait', async () => {
    const ports = new Ports({ threshold: 3 });
    ports.meets = failing((rows) => rows.length > 1, 7000);
    const { breaker } = ports.database;
    const writer = new Writer({
      send: sendAccepted(ports.database, ports.spill),
      room: new Room(1e9),
      fullEvents: 10,
      maxEvents: 20,
      linger: 100,
      isHeldUp: () => !breaker.isClosed || breaker.isSlow,
    });
    const written: Promise<readonly WriteOutcome[]>[] = [];
    for (let ms = 0; ms < 40_000; ms += 10) {
      written.push(writer.write([prepared(`e${ms}`)]));
      if (ms % 200 === 0) void ports.database.append(['other'], false);
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(20_000);
    const outcomes = (await Promise.all(written)).flat();
    expect(outcomes.filter(({ result }) => result === 'unavailable')).toEqual([]);
  });

  test('are tried again at both while neither takes them', async () => {
    const ports = new Ports();
    ports.databaseFails = ports.queueFails = true;
    setTimeout(() => (ports.queueFails = false), 10_000);
    expect(await write(ports, ['a'])).toEqual(['queued']);
    expect(ports.calls.length).toBeGreaterThan(5);
  });

  test('are given up, and not in silence, when neither takes them for 17 s', async () => {
    const ports = new Ports();
    ports.databaseFails = ports.queueFails = true;
    expect(await write(ports, ['a'])).toEqual(['unavailable']);
  });

  test('that the database refuses are buried, and their neighbours stored', async () => {
    const ports = new Ports();
    expect(await write(ports, ['a', 'bad', 'b'], { ms: 0 })).toEqual(['committed', 'refused', 'committed']);
    expect(ports.buried).toMatchObject([
      {
        reason: 'refused',
        sqlstate: '23514',
        detail: expect.stringMatching('a_check'),
        content: { literal: 'bad' },
      },
    ]);
    expect(ports).toMatchObject({ stored: ['a', 'b'], queued: [] });
  });

  test('that can be neither stored nor buried go to the queue', async () => {
    const ports = new Ports();
    ports.buryFails = true;
    expect(await write(ports, ['a', 'bad'], { ms: 0 })).toEqual(['committed', 'queued']);
    expect(ports).toMatchObject({ stored: ['a'], queued: ['bad'] });
  });
});

describe('queued events', () => {
  test('go to the queue and nowhere else, and are tried again when it fails', async () => {
    const ports = new Ports();
    ports.queueFails = true;
    setTimeout(() => (ports.queueFails = false), 1000);
    expect(await write(ports, ['a', 'b'], { ack: 'queued' })).toEqual(['queued', 'queued']);
    expect(ports).toMatchObject({ calls: [], queued: ['a', 'b'] });
  });

  test('of a large batch leave in calls of at most 100 messages and 256 KB', async () => {
    const ports = new Ports();
    const sent: number[][] = [];
    const { sendBatch } = ports.spill.queue;
    ports.spill.queue.sendBatch = async (messages) => {
      sent.push([...messages].map(({ body }) => body.length));
      await sendBatch(messages);
    };
    const rows = Array.from({ length: 40 }, (_, index) => String(index).padEnd(60_000, '.'));
    expect(new Set(await write(ports, rows, { ack: 'queued' }))).toEqual(new Set(['queued']));
    expect(ports.queued).toEqual(rows);
    for (const call of sent) {
      expect(call.length).toBeLessThanOrEqual(100);
      expect(call.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(256_000);
    }
  });
});

describe('a fault of ours', () => {
  test('gives up what it happened to, and holds up nothing that comes after', async () => {
    let isFaulty = true;
    const send = async (groups: readonly Group[]) => {
      if (isFaulty) throw new RangeError('private');
      for (const group of groups) group.settleRest({ result: 'committed' });
    };
    const room = new Room(100);
    const writer = new Writer({ send, room });
    expect(await writer.write([prepared('a')])).toEqual([{ result: 'unavailable' }]);
    expect(room.has(100)).toBe(true);
    expect(vi.mocked(console.error).mock.calls.join()).toMatch(/"internal_error".*"RangeError"/);
    expect(vi.mocked(console.error).mock.calls.join()).not.toContain('private');
    isFaulty = false;
    expect(await writer.write([prepared('b')])).toEqual([{ result: 'committed' }]);
  });
});

describe('what a cancelled request left behind', () => {
  /** A writer whose first call never comes back, full to the brim. */
  function stuck() {
    let calls = 0;
    const send = async (groups: readonly Group[]) => {
      if ((calls += 1) === 1) return new Promise<void>(() => {});
      for (const group of groups) group.settleRest({ result: 'committed' });
    };
    const room = new Room(1);
    const told: WriteOutcome[] = [];
    const writer = new Writer({ send, room });
    void writer.write([prepared('a')], { onSettled: (outcomes) => told.push(...outcomes) });
    return { writer, room, told };
  }

  test('shows, and goes with the next request', async () => {
    const { writer, room, told } = stuck();
    expect([room.has(1), writer.isStuck]).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(8000);
    expect(writer.isStuck).toBe(true);
    await Promise.all([writer.write([prepared('b')]), vi.advanceTimersByTimeAsync(1000)]);
    expect(told).toEqual([{ result: 'committed' }]);
    expect([room.has(1), writer.isStuck]).toEqual([true, false]);
  });

  test('can be given up once its client is gone', async () => {
    const { writer, room, told } = stuck();
    await vi.advanceTimersByTimeAsync(20_000);
    writer.expire();
    expect([room.has(1), told]).toEqual([false, []]);
    await vi.advanceTimersByTimeAsync(10_000);
    writer.expire();
    expect([room.has(1), told]).toEqual([true, [{ result: 'unavailable' }]]);
  });
});
