import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { NotStored, NotStoredAlone } from '../db/append.ts';
import type { Outcome } from '../db/call.ts';
import type { PreparedEvent } from '../events/prepare.ts';
import type { WriteOutcome } from './group.ts';
import { Breaker } from './breaker.ts';
import { Room } from './room.ts';
import { sendCommitted } from './send-committed.ts';
import type { WriterOptions } from './writer-options.ts';
import { Writer } from './writer.ts';

const COMMITTED: WriteOutcome = { result: 'committed' };
const UNAVAILABLE: WriteOutcome = { result: 'unavailable' };
const DOWN: Outcome<NotStored[]> = { ok: false, failure: { kind: 'unavailable', sqlstate: null } };

/** What the database does, in the terms the writer sees: each id once, duplicates told, some rows refused. */
class Store {
  readonly rows = new Map<string, string>();
  readonly calls: string[][] = [];
  refuses = (_id: string): boolean => false;

  append(rows: readonly string[], atomic: boolean): Outcome<NotStored[]> {
    this.calls.push(rows.map((row) => parse(row).id));
    return this.#append(rows, atomic);
  }

  appendEach(rows: readonly string[]): NotStoredAlone[] {
    this.calls.push(rows.map((row) => parse(row).id));
    return rows.flatMap((row, index): NotStoredAlone[] => {
      const outcome = this.#append([row], false);
      if (outcome.ok) return outcome.value.map((entry) => ({ ...entry, index }));
      const refused = { sqlstate: '23514', constraint: 'some_check', detail: 'It is poison.' };
      return [{ ...refused, index, result: 'refused' }];
    });
  }

  #append(rows: readonly string[], atomic: boolean): Outcome<NotStored[]> {
    const batch = rows.map(parse);
    if (batch.some(({ id }) => this.refuses(id))) {
      return {
        ok: false,
        failure: { kind: 'refused', sqlstate: '23514', constraint: 'some_check', detail: null },
      };
    }
    const notStored: NotStored[] = batch.flatMap(({ id }, index) => {
      const known = this.rows.get(id);
      return known === undefined ? [] : [{ index, result: 'duplicate' as const, leaf_hash: known }];
    });
    if (atomic && notStored.length > 0) {
      const detail = JSON.stringify(notStored.map((entry) => ({ ...entry, result: 'conflict' })));
      return { ok: false, failure: { kind: 'refused', sqlstate: '23505', constraint: null, detail } };
    }
    for (const { id, leaf_hash } of batch) if (!this.rows.has(id)) this.rows.set(id, leaf_hash);
    return { ok: true, value: notStored };
  }
}

function parse(row: string): { id: string; leaf_hash: string } {
  return JSON.parse(row) as { id: string; leaf_hash: string };
}

type Append = (rows: readonly string[], atomic: boolean) => Promise<Outcome<NotStored[]>>;

/** A writer in front of a database whose breaker never opens. */
function writerOf(store: Store, append: Append, options: Partial<WriterOptions> = {}): Writer {
  const database = {
    breaker: new Breaker({ threshold: Infinity }),
    append,
    appendEach: async (rows: readonly string[]) => ({ ok: true as const, value: store.appendEach(rows) }),
    bury: async (letters: readonly unknown[]) => ({ ok: true as const, value: letters.length }),
  };
  return new Writer({ send: sendCommitted(database), room: new Room(1e9), ...options });
}

function prepared(id: string, leafHash = `leaf of ${id}`): PreparedEvent {
  const row = JSON.stringify({ id, leaf_hash: leafHash });
  return {
    id,
    workspaceId: 'acme',
    createdAt: '1970-01-01T00:00:00.000Z',
    row,
    bytes: row.length,
    leafHash,
    redacted: [],
    terms: { action: 'a', targetTypes: [] },
  };
}

/** A call that takes 20 ms. */
function slowly(store: Store): Append {
  return async (rows, atomic) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return store.append(rows, atomic);
  };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('group commit', () => {
  test('a lone event leaves at once, without a timer', async () => {
    const store = new Store();
    const writer = writerOf(store, async (rows, atomic) => store.append(rows, atomic));
    expect(await writer.write([prepared('a')])).toEqual([COMMITTED]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('events that arrive during a flush leave together in the next', async () => {
    const store = new Store();
    const writer = writerOf(store, slowly(store));
    const writes = ['a', 'b', 'c', 'd'].map((id) => writer.write([prepared(id)]));
    await vi.advanceTimersByTimeAsync(40);
    expect(await Promise.all(writes)).toEqual([[COMMITTED], [COMMITTED], [COMMITTED], [COMMITTED]]);
    expect(store.calls).toEqual([['a'], ['b', 'c', 'd']]);
  });

  test.each([
    ['less than a full call', 1, 1],
    ['a full call', 2, 2],
    ['nine full calls', 18, 3],
  ])(
    'with %s waiting behind the first event, of %i pairs, at most %i flushes are under way',
    async (_, count, expected) => {
      const store = new Store();
      const slow = slowly(store);
      let underWay = 0;
      let most = 0;
      const append: Append = async (rows, atomic) => {
        most = Math.max(most, (underWay += 1));
        return slow(rows, atomic).finally(() => (underWay -= 1));
      };
      const writer = writerOf(store, append, { fullEvents: 4, maxEvents: 4 });
      const first = writer.write([prepared('first')]);
      const pairs = Array.from({ length: count }, (__, pair) =>
        writer.write([prepared(`${pair}a`), prepared(`${pair}b`)]),
      );
      await vi.runAllTimersAsync();
      const outcomes = (await Promise.all([first, ...pairs])).flat();
      expect(outcomes.every(({ result }) => result === 'committed')).toBe(true);
      expect(store.rows.size).toBe(1 + 2 * pairs.length);
      expect(most).toBe(expected);
    },
  );

  test('a call carries no more events and bytes than allowed', async () => {
    const store = new Store();
    const size = prepared('a0').bytes + 1;
    const writer = writerOf(store, slowly(store), { maxEvents: 3, maxBytes: 5 * size });
    const groups = ['a', 'b', 'c', 'd'].map((name) => [prepared(`${name}0`), prepared(`${name}1`)]);
    const writes = Promise.all(groups.map((group) => writer.write(group)));
    await vi.advanceTimersByTimeAsync(200);
    await writes;
    expect(store.calls.map((call) => call.length)).toEqual([2, 2, 2, 2]);
  });

  test('a request that alone exceeds what a call carries still goes, in one call', async () => {
    const store = new Store();
    const writer = writerOf(store, slowly(store), { maxEvents: 2 });
    const write = writer.write(['a', 'b', 'c'].map((id) => prepared(id)));
    await vi.advanceTimersByTimeAsync(20);
    expect(await write).toHaveLength(3);
    expect(store.calls).toHaveLength(1);
  });

  test('an isolate under load makes at most 100 calls a second, however fast the database is', async () => {
    const store = new Store();
    const writer = writerOf(store, async (rows, atomic) => store.append(rows, atomic));
    const writes: Promise<unknown>[] = [];
    for (let ms = 0; ms < 3000; ms += 1) {
      writes.push(writer.write([prepared(`e${ms}`)]));
      await vi.advanceTimersByTimeAsync(1);
    }
    await vi.runAllTimersAsync();
    await Promise.all(writes);
    expect(store.rows.size).toBe(3000);
    expect(store.calls.length).toBeLessThanOrEqual(300);
  });

  test('with a linger, events wait under load for others, so that calls are few and full', async () => {
    const store = new Store();
    const writer = writerOf(store, slowly(store), { linger: 100 });
    const writes: Promise<unknown>[] = [];
    for (let ms = 0; ms < 1000; ms += 5) {
      writes.push(writer.write([prepared(`e${ms}`)]));
      await vi.advanceTimersByTimeAsync(5);
    }
    await vi.runAllTimersAsync();
    await Promise.all(writes);
    expect(store.rows.size).toBe(200);
    expect(store.calls[0]).toHaveLength(1);
    expect(store.calls.length).toBeLessThanOrEqual(200 / 10);
  });

  test('where calls are held up, a lone event lingers too', async () => {
    const store = new Store();
    let isHeldUp = false;
    const writer = writerOf(store, slowly(store), { linger: 100, isHeldUp: () => isHeldUp });
    const first = writer.write([prepared('a')]);
    await vi.advanceTimersByTimeAsync(20);
    expect(await first).toEqual([COMMITTED]);
    isHeldUp = true;
    const others = ['b', 'c', 'd'].map((id) => writer.write([prepared(id)]));
    await vi.advanceTimersByTimeAsync(70);
    expect(store.calls).toEqual([['a']]);
    await vi.advanceTimersByTimeAsync(60);
    await Promise.all(others);
    expect(store.calls).toEqual([['a'], ['b', 'c', 'd']]);
  });

  test('where calls are held up, one under way holds up no others, and they leave together', async () => {
    const store = new Store();
    const append: Append = async (rows, atomic) => {
      const hangs = rows.some((row) => row.includes('"probe"'));
      if (hangs) await new Promise((resolve) => setTimeout(resolve, 7000));
      return store.append(rows, atomic);
    };
    const reports: number[] = [];
    const writer = writerOf(store, append, {
      linger: 100,
      isHeldUp: () => true,
      onFlush: ({ requests }) => reports.push(requests),
    });
    const probe = writer.write([prepared('probe')]);
    await vi.advanceTimersByTimeAsync(10);
    const writes: Promise<unknown>[] = [];
    for (let ms = 0; ms < 300; ms += 10) {
      writes.push(writer.write([prepared(`e${ms}`)]));
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(200);
    await Promise.all(writes);
    expect(store.calls.length).toBeLessThanOrEqual(4);
    await vi.advanceTimersByTimeAsync(7000);
    expect(await probe).toEqual([COMMITTED]);
    // None left empty.
    expect(reports.every((requests) => requests > 0)).toBe(true);
  });

  test('where calls are held up and take all places, one more goes around them', async () => {
    const store = new Store();
    let isHeldUp = false;
    const append: Append = async (rows, atomic) => {
      if (!isHeldUp) await new Promise((resolve) => setTimeout(resolve, 7000));
      return store.append(rows, atomic);
    };
    const writer = writerOf(store, append, { fullEvents: 2, maxEvents: 2, isHeldUp: () => isHeldUp });
    const hanging = Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => writer.write([prepared(id)])));
    await vi.advanceTimersByTimeAsync(1000);
    isHeldUp = true;
    const others = ['f', 'g', 'h'].map((id) => writer.write([prepared(id)]));
    await vi.advanceTimersByTimeAsync(100);
    expect(await Promise.all(others)).toEqual([[COMMITTED], [COMMITTED], [COMMITTED]]);
    expect(store.rows.size).toBe(3);
    await vi.advanceTimersByTimeAsync(7000);
    await hanging;
    expect(store.rows.size).toBe(8);
  });

  test('a linger ends when enough events wait', async () => {
    const store = new Store();
    const writer = writerOf(store, slowly(store), { linger: 100, lingerEvents: 2 });
    void writer.write([prepared('a')]);
    void writer.write([prepared('b')]);
    await vi.advanceTimersByTimeAsync(30);
    expect(store.calls).toEqual([['a']]);
    const last = writer.write([prepared('c')]);
    await vi.advanceTimersByTimeAsync(20);
    expect(await last).toEqual([COMMITTED]);
    expect(store.calls).toEqual([['a'], ['b', 'c']]);
  });

  test('what waits or is under way takes room until it is settled', async () => {
    const room = new Room(100);
    const store = new Store();
    const writer = writerOf(store, slowly(store), { room });
    expect(room.has(100)).toBe(true);
    void writer.write([prepared('a'), prepared('b')]);
    expect(room.has(100 - 50)).toBe(false);
    await vi.advanceTimersByTimeAsync(20);
    expect(room.has(100)).toBe(true);
  });
});

describe('failures', () => {
  test('a call that fails is tried again, and a lost answer does not make a duplicate of our own event', async () => {
    const store = new Store();
    let calls = 0;
    const writer = writerOf(store, async (rows, atomic) => {
      const outcome = store.append(rows, atomic);
      return (calls += 1) === 1 ? DOWN : outcome;
    });
    const write = writer.write([prepared('a')]);
    await vi.runAllTimersAsync();
    expect(await write).toEqual([COMMITTED]);
    expect(store.calls).toEqual([['a'], ['a']]);
  });

  test('an event that another request stored before is a duplicate, even on a second attempt', async () => {
    const store = new Store();
    store.rows.set('a', 'leaf of another salt');
    let calls = 0;
    const writer = writerOf(store, async (rows, atomic) =>
      (calls += 1) === 1 ? DOWN : store.append(rows, atomic),
    );
    const write = writer.write([prepared('a')]);
    await vi.runAllTimersAsync();
    expect(await write).toEqual([{ result: 'duplicate', leafHash: 'leaf of another salt' }]);
  });

  test('each request gives up after its own patience, and the others go on', async () => {
    const store = new Store();
    let down = true;
    const writer = writerOf(store, async (rows, atomic) => (down ? DOWN : store.append(rows, atomic)), {
      patience: 5000,
    });
    const early = writer.write([prepared('early')]);
    await vi.advanceTimersByTimeAsync(3500);
    const late = writer.write([prepared('late')]);
    await vi.advanceTimersByTimeAsync(1600);
    expect(await early).toEqual([UNAVAILABLE]);
    down = false;
    await vi.advanceTimersByTimeAsync(3000);
    expect(await late).toEqual([COMMITTED]);
  });

  test('one bad row is refused alone, whichever request it is in, and every neighbour is stored', async () => {
    for (const bad of [0, 1, 42, 98, 99]) {
      const store = new Store();
      store.refuses = (id) => id === `e${bad}`;
      const writer = writerOf(store, slowly(store));
      const events = Array.from({ length: 100 }, (_, index) => prepared(`e${index}`));
      const writes = [events.slice(0, 1), events.slice(1, 40), events.slice(40)].map((group) =>
        writer.write(group),
      );
      await vi.advanceTimersByTimeAsync(2000);
      const outcomes = (await Promise.all(writes)).flat();
      expect(outcomes.filter(({ result }) => result === 'committed')).toHaveLength(99);
      expect(outcomes[bad]).toMatchObject({ result: 'refused', sqlstate: '23514', constraint: 'some_check' });
      // The call that was refused once more, row by row.
      expect(store.calls.length).toBeLessThanOrEqual(3);
    }
  });

  test('an atomic batch travels alone, and a conflict aborts the rest of it', async () => {
    const store = new Store();
    store.rows.set('known', 'its leaf');
    const writer = writerOf(store, slowly(store));
    const writes = [
      writer.write([prepared('a')]),
      writer.write([prepared('b')]),
      writer.write([prepared('c'), prepared('known')], { atomic: true }),
      writer.write([prepared('d')]),
    ];
    await vi.advanceTimersByTimeAsync(200);
    expect((await Promise.all(writes))[2]).toEqual([
      { result: 'aborted' },
      { result: 'conflict', leafHash: 'its leaf' },
    ]);
    expect(store.calls).toEqual([['a'], ['b'], ['c', 'known'], ['d']]);
    expect([...store.rows.keys()].toSorted()).toEqual(['a', 'b', 'd', 'known']);
  });
});

describe('a leader that dies', () => {
  /**
   * Runs twelve requests through a writer whose leaders stop for ever at the awaits `deaths` names: before a call has an
   * effect, after it, or in a pause. A cancelled request is just this: what it awaits never comes back.
   */
  async function run(deaths: ReadonlySet<number>, failures: ReadonlySet<number>, fullEvents = 500) {
    const store = new Store();
    let awaits = 0;
    const dies = () => deaths.has((awaits += 1));
    const writer = writerOf(
      store,
      async (rows, atomic) => {
        if (dies()) return new Promise(() => {});
        await new Promise((resolve) => setTimeout(resolve, 20));
        const outcome = failures.has(awaits) ? DOWN : store.append(rows, atomic);
        return dies() ? new Promise(() => {}) : outcome;
      },
      {
        rate: 5,
        burst: 2,
        fullEvents,
        pause: (ms) => (dies() ? new Promise(() => {}) : new Promise((resolve) => setTimeout(resolve, ms))),
      },
    );
    const settled = new Map<string, readonly WriteOutcome[]>();
    for (let request = 0; request < 12; request += 1) {
      const id = `e${request}`;
      void writer.write([prepared(id)]).then((outcomes) => settled.set(id, outcomes));
      await vi.advanceTimersByTimeAsync(15);
    }
    await vi.advanceTimersByTimeAsync(25_000);
    return { store, settled, awaits };
  }

  // With few events counting as a full call, several flushes are under way at once.
  test.each([500, 2])('at any point leaves every event of the others written, once (%i)', async (full) => {
    const { awaits: points } = await run(new Set(), new Set(), full);
    expect(points).toBeGreaterThan(6);
    for (let point = 1; point <= points; point += 1) {
      const { store, settled } = await run(new Set([point]), new Set(), full);
      expect([...settled.values()].every(([outcome]) => outcome?.result === 'committed')).toBe(true);
      // The dead request is one of those whose events travelled; its answer is lost, its event need not be.
      expect(settled.size).toBeGreaterThanOrEqual(11);
      expect([...settled.keys()].every((id) => store.rows.has(id))).toBe(true);
    }
  });

  test('while the database fails, and a second one after it, still leaves the others written', async () => {
    for (let point = 1; point <= 6; point += 1) {
      const { store, settled } = await run(new Set([point, point + 3]), new Set([1, 3, 4]));
      expect(settled.size).toBeGreaterThanOrEqual(10);
      expect(
        [...settled].every(([id, [outcome]]) => outcome?.result === 'committed' && store.rows.has(id)),
      ).toBe(true);
    }
  });

  /** The first request's call never returns; then single events follow, one every 40 ms. */
  async function afterDeathOf(
    first: PreparedEvent[],
    { atomic = false, maxBytes = 1e6, rest = 100, room = new Room(1e9) } = {},
  ) {
    const store = new Store();
    let calls = 0;
    const writer = writerOf(
      store,
      async (rows, isAtomic) => {
        if ((calls += 1) === 1) return new Promise(() => {});
        return slowly(store)(rows, isAtomic);
      },
      { maxEvents: 10, maxBytes, room },
    );
    const told: WriteOutcome[] = [];
    void writer.write(first, { atomic, onSettled: (outcomes) => told.push(...outcomes) });
    const others: Promise<readonly WriteOutcome[]>[] = [];
    for (let request = 0; request < rest; request += 1) {
      others.push(writer.write([prepared(`e${request}`)], { waitUntil: () => {} }));
      await vi.advanceTimersByTimeAsync(40);
    }
    await vi.advanceTimersByTimeAsync(26_000);
    return { store, writer, told, others: (await Promise.all(others)).flat() };
  }

  test.each([
    ['an atomic batch', { atomic: true }, 2],
    ['a batch as large as a call may be', {}, 10],
    ['a batch of more bytes than a call carries', { maxBytes: 100 }, 3],
    ['a single event', {}, 1],
  ])('with %s leaves it to the others, who are written too', async (_, options, count) => {
    const first = Array.from({ length: count }, (__, index) => prepared(`first${index}`));
    const { store, told, others } = await afterDeathOf(first, options);
    expect(others.every(({ result }) => result === 'committed')).toBe(true);
    expect(first.every(({ id }) => store.rows.has(id))).toBe(true);
    expect(told).toEqual(first.map(() => COMMITTED));
  });

  test('beside a call that goes on, with nobody waiting, leaves its event to who travels in that call', async () => {
    const store = new Store();
    let calls = 0;
    const writer = writerOf(
      store,
      async (rows, atomic) => {
        calls += 1;
        if (calls === 1) return new Promise(() => {});
        await new Promise((resolve) => setTimeout(resolve, calls === 2 ? 7000 : 20));
        return store.append(rows, atomic);
      },
      { fullEvents: 1, flushes: 2, rate: 0.25, burst: 1 },
    );
    void writer.write([prepared('first')]);
    // The rate holds the second call back for 4 s, so that both travel in it.
    const others = ['leader', 'passenger'].map((id) => writer.write([prepared(id)]));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.calls).toEqual([['first']]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(await Promise.all(others)).toEqual([[COMMITTED], [COMMITTED]]);
    expect(store.calls).toEqual([['first'], ['leader', 'passenger']]);
  });

  test('leaves nothing behind that takes up room', async () => {
    const room = new Room(1000);
    await afterDeathOf([prepared('first')], { room });
    expect([room.has(1000), room.has(1001)]).toEqual([true, false]);
  });

  test('on a quiet isolate leaves its event to the next request, however late that comes', async () => {
    const { store, writer, told } = await afterDeathOf([prepared('first')], { rest: 0 });
    expect(told).toEqual([]);
    const next = writer.write([prepared('next')]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await next).toEqual([COMMITTED]);
    expect(told).toEqual([COMMITTED]);
    expect([...store.rows.keys()].toSorted()).toEqual(['first', 'next']);
  });
});
