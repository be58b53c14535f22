import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { consumeDead } from './consume-dead.ts';
import { consume } from './consume.ts';
import { failing, Ports } from './ports.fixture.ts';
import type { Delivered } from './postpone.ts';
import { packRows } from './queue-message.ts';

beforeEach(() => {
  vi.spyOn(console, 'error').mockReturnValue();
  vi.spyOn(console, 'log').mockReturnValue();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A message, and what became of it: `acked`, or the seconds after which it comes again. */
interface Sent extends Delivered {
  fate: 'acked' | number | undefined;
}

function messageOf(body: unknown, attempts = 1): Sent {
  return {
    body,
    attempts,
    fate: undefined,
    ack() {
      this.fate = 'acked';
    },
    retry({ delaySeconds }) {
      this.fate = delaySeconds;
    },
  };
}

async function message(rows: readonly string[], attempts?: number): Promise<Sent> {
  const [packed] = await packRows(rows);
  return messageOf(packed?.body, attempts);
}

/** Too large to share a message. */
const LARGE = 'x'.repeat(60_000);

const fates = (messages: readonly Sent[]) => messages.map(({ fate }) => fate);

test('the messages of a batch share calls of up to 1,000 events', async () => {
  const ports = new Ports();
  const messages = await Promise.all(
    Array.from({ length: 5 }, (_, m) => message(Array.from({ length: 300 }, (__, r) => `row ${m} ${r}`))),
  );
  await consume(messages, ports.database, ports.spill);
  expect(fates(messages)).toEqual(messages.map(() => 'acked'));
  expect(ports.calls).toEqual([900, 600]);
  expect(ports.stored).toHaveLength(1500);
});

test('while the database is down every message comes again, later each time, and none is given up', async () => {
  const ports = new Ports();
  ports.databaseFails = true;
  for (const [attempts, least, most] of [
    [1, 1, 1],
    [2, 1, 2],
    [4, 4, 8],
    [7, 30, 60],
    [50, 30, 60],
    [89, 30, 60],
  ] as const) {
    const messages = [await message([LARGE], attempts), await message([LARGE, 'c'], attempts)];
    await consume(messages, ports.database, ports.spill);
    for (const { fate } of messages) {
      expect(fate).toBeGreaterThanOrEqual(least);
      expect(fate).toBeLessThanOrEqual(most);
    }
  }
});

test('what comes while the database has been down for long comes again late, so that little is moved in vain', async () => {
  vi.useFakeTimers();
  const ports = new Ports({ threshold: 1 });
  ports.databaseFails = true;
  for (const [pause, longest] of [
    [0, 1],
    [8, 8],
    [32, 40],
    [100, 60],
  ] as const) {
    await vi.advanceTimersByTimeAsync(pause * 1000);
    const large = await message([LARGE]);
    const small = await Promise.all([message(['a']), message(['b'])]);
    await consume([large, ...small], ports.database, ports.spill);
    expect(fates(small)).toEqual(['acked', 'acked']);
    for (const delay of [large.fate, ports.sent.at(-1)?.delaySeconds]) {
      expect(delay).toBeGreaterThanOrEqual(longest / 2);
      expect(delay).toBeLessThanOrEqual(longest);
    }
  }
});

test('small messages that have to wait for an outage to end come again in few, and as late as the oldest of them', async () => {
  const ports = new Ports({ threshold: 1 });
  ports.databaseFails = true;
  const messages = await Promise.all(
    Array.from({ length: 100 }, (_, m) => message([`row ${m}`], 1 + (m % 6))),
  );
  await consume(messages, ports.database, ports.spill);
  expect(fates(messages)).toEqual(messages.map(() => 'acked'));
  expect(ports.queued).toEqual(messages.map((_, m) => `row ${m}`));
  const [again, ...others] = ports.sent;
  expect(others).toEqual([]);
  expect(again?.delaySeconds).toBeGreaterThanOrEqual(16);

  // What they were tried before counts on.
  const later = messageOf(again?.body);
  const second = messageOf(again?.body);
  await consume([later, second], ports.database, ports.spill);
  expect(ports.sent[1]?.delaySeconds).toBeGreaterThanOrEqual(30);

  ports.queueFails = true;
  const stuck = await Promise.all([message(['a']), message(['b'])]);
  await consume(stuck, ports.database, ports.spill);
  expect(fates(stuck)).toEqual([1, 1]);
});

test('long before the platform would give it up, a message starts anew', async () => {
  const ports = new Ports();
  ports.databaseFails = true;
  const old = await message(['a', 'b'], 90);
  await consume([old], ports.database, ports.spill);
  expect([old.fate, ports.queued]).toEqual(['acked', ['a', 'b']]);
  ports.queueFails = true;
  const stuck = await message(['c'], 91);
  await consume([stuck], ports.database, ports.spill);
  expect(stuck.fate).toBeGreaterThan(0);
});

test('once a call failed, the rest of its batch is not tried in vain', async () => {
  const ports = new Ports({ threshold: 1 });
  ports.databaseFails = true;
  const many = await Promise.all(Array.from({ length: 10 }, (_, m) => message([`${m}`.repeat(50_000)])));
  const rows = Array.from({ length: 400 }, (_, row) => `row ${row}`);
  many.unshift(await message(rows), await message(rows));
  for (let round = 1; round <= 3; round += 1) await consume(many, ports.database, ports.spill);
  // Each batch tries once, so that the database's return is seen; where it is known to be down, with one message.
  expect(ports.calls).toEqual([810, 400, 400]);
  expect(fates(many.slice(2))).not.toContain('acked');
  ports.databaseFails = false;
  await consume(many, ports.database, ports.spill);
  expect(ports.calls).toEqual([810, 400, 400, 400, 410]);
  expect(fates(many)).toEqual(many.map(() => 'acked'));
  expect(ports.stored).toHaveLength(810);
});

test('what is refused becomes a dead letter, and its message is done with', async () => {
  const ports = new Ports();
  const messages = [await message(['a', 'bad', 'b']), await message(['c'])];
  await consume(messages, ports.database, ports.spill);
  expect(fates(messages)).toEqual(['acked', 'acked']);
  expect(ports.stored.toSorted()).toEqual(['a', 'b', 'c']);
  expect(ports.buried).toMatchObject([{ reason: 'refused', content: { literal: 'bad' } }]);
});

test('what can be neither stored nor kept comes again, with its whole message and no other', async () => {
  const ports = new Ports();
  ports.buryFails = true;
  const messages = [await message(['a', 'bad']), await message(['b'])];
  await consume(messages, ports.database, ports.spill);
  expect(fates(messages)).toEqual([1, 'acked']);
});

test('now and then a message goes alone, so that none holds up another for ever', async () => {
  const ports = new Ports();
  const messages = [
    await message(['a'], 7),
    await message(['b'], 8),
    await message(['c'], 9),
    await message(['d'], 9),
  ];
  await consume(messages, ports.database, ports.spill);
  expect(ports.calls).toEqual([1, 1, 2]);
});

test.each([0, 7000])(
  'a row at which the database fails after %i ms holds up its neighbours for a while only, whatever it was merged with',
  async (ms) => {
    vi.useFakeTimers();
    const ports = new Ports({ threshold: 3 });
    ports.meets = failing((rows) => rows.includes('poison'), ms);
    const rows = Array.from({ length: 30 }, (_, row) => (row === 20 ? 'poison' : `row ${row}`));
    let waiting = [await message(rows.slice(0, 10)), await message(rows.slice(10))];
    for (let round = 1; new Set(ports.stored).size < 29; round += 1) {
      expect(round).toBeLessThan(30);
      ports.sent = [];
      const consumed = consume(waiting, ports.database, ports.spill);
      await vi.advanceTimersByTimeAsync(120_000);
      await consumed;
      const again = waiting.filter(({ fate }) => fate !== 'acked');
      waiting = [
        ...again.map(({ body, attempts }) => messageOf(body, attempts + 1)),
        ...ports.sent.map(({ body }) => messageOf(body)),
      ];
    }
    expect(new Set(ports.stored)).toEqual(new Set(rows.filter((row) => row !== 'poison')));
    expect(ports.buried).toEqual([]);
  },
);

test('where no row at all goes through, no message is halved for it', async () => {
  const ports = new Ports({ threshold: 3 });
  // A full disk: only a call of nothing is answered.
  ports.meets = async (rows) => rows.length === 0;
  const messages = await Promise.all(Array.from({ length: 10 }, (_, m) => message([`${m}`, 'a', 'b'], 8)));
  await consume(messages, ports.database, ports.spill);
  expect(ports.sent).toEqual([]);
  expect(fates(messages).every((fate) => Number(fate) > 0)).toBe(true);
});

test('a batch whose calls hang ends long before the platform would end it, and what was stored is done with', async () => {
  vi.useFakeTimers();
  const ports = new Ports({ threshold: 3 });
  ports.meets = failing((rows) => rows.includes('hangs'), 7000);
  // At the eighth attempt each goes alone.
  const messages = await Promise.all(
    Array.from({ length: 100 }, (_, m) => message([m === 0 ? 'stored' : 'hangs', `${m}`], 8)),
  );
  const startedAt = Date.now();
  let ms = Infinity;
  const consumed = consume(messages, ports.database, ports.spill).then(() => (ms = Date.now() - startedAt));
  await vi.advanceTimersByTimeAsync(900_000);
  await consumed;
  expect(ms).toBeLessThan(70_000);
  expect(fates(messages)[0]).toBe('acked');
  expect(fates(messages)).not.toContain(undefined);
});

test('a message that cannot be read is kept as it is', async () => {
  const ports = new Ports();
  const messages = [messageOf('nonsense'), messageOf({ some: 'JSON' }), await message(['a'])];
  await consume(messages, ports.database, ports.spill);
  expect(fates(messages)).toEqual(['acked', 'acked', 'acked']);
  expect(ports.buried).toMatchObject([
    { reason: 'undeliverable', content: { raw: 'nonsense' } },
    { reason: 'undeliverable', content: { raw: '{"some":"JSON"}' } },
  ]);
});

test('what the platform gave up is kept event by event, and comes again while the database is down', async () => {
  const ports = new Ports();
  ports.databaseFails = true;
  const first = await message(['a', 'b']);
  await consumeDead([first], ports.database, ports.spill);
  expect(first.fate).toBe(1);
  ports.databaseFails = false;
  const again = await message(['a', 'b'], 2);
  await consumeDead([again], ports.database, ports.spill);
  expect(again.fate).toBe('acked');
  expect(ports.buried.map(({ content }) => content)).toEqual([{ literal: 'a' }, { literal: 'b' }]);
});

test('a letter that cannot be kept holds up no other call', async () => {
  const ports = new Ports();
  ports.buryFails = true;
  const rows = Array.from({ length: 999 }, (_, row) => `row ${row}`);
  const messages = [await message(['bad', ...rows.slice(0, 900)]), await message(rows)];
  await consume(messages, ports.database, ports.spill);
  expect(fates(messages)).toEqual([1, 'acked']);
});
