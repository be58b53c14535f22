import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Group } from './group.ts';
import { failing, Ports, prepared } from './ports.fixture.ts';
import { Room } from './room.ts';
import { sendCommitted } from './send-committed.ts';
import { Writer } from './writer.ts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, 'error').mockReturnValue();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function writerOf({ database }: Ports): Writer {
  return new Writer({ send: sendCommitted(database), room: new Room(1e6) });
}

/** What becomes of an event, and after how many ms. */
async function write(writer: Writer, row: string): Promise<[string | undefined, number]> {
  const startedAt = Date.now();
  const written = writer
    .write([prepared(row)])
    .then(([outcome]) => [outcome?.result, Date.now() - startedAt]);
  await vi.advanceTimersByTimeAsync(20_000);
  return (await written) as [string | undefined, number];
}

test('whoever waits for the commit is told at once when the database is found to be down', async () => {
  const ports = new Ports({ threshold: 1 });
  ports.databaseFails = true;
  expect(await write(writerOf(ports), 'a')).toEqual(['unavailable', 0]);
});

test('and no later than after a second or so, where other events find it out again and again', async () => {
  const ports = new Ports({ threshold: 1 });
  const { breaker } = ports.database;
  ports.databaseFails = true;
  const writer = writerOf(ports);
  await write(writer, 'a');
  const others = setInterval(() => {
    if (breaker.admits()) void ports.database.append(['other'], false);
  }, 1);
  await vi.advanceTimersByTimeAsync(1000);
  const [result, ms] = await write(writer, 'b');
  clearInterval(others);
  expect(result).toBe('unavailable');
  expect(ms).toBeLessThan(2000);
});

test('an event waits for a database that comes back meanwhile, and is stored', async () => {
  const ports = new Ports({ threshold: 1 });
  ports.databaseFails = true;
  const writer = writerOf(ports);
  await write(writer, 'a');
  // Its pause begins anew.
  expect(ports.database.breaker.admits()).toBe(true);
  await ports.database.append(['probe'], false);
  setTimeout(() => (ports.databaseFails = false), 100);
  const [result, ms] = await write(writer, 'b');
  expect(result).toBe('committed');
  expect(ms).toBeLessThan(2000);
});

test('how long an event waited before the database was found to be down does not count', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(1);
  const ports = new Ports({ threshold: 1 });
  const group = new Group([prepared('a')], { atomic: false, giveUpAt: Infinity, onSettled: () => {} });
  const send = sendCommitted(ports.database);
  const flush = { until: Infinity, isDetour: false, onProgress: () => {}, pause: async () => {} };
  await vi.advanceTimersByTimeAsync(5000);
  ports.databaseFails = true;
  await ports.database.append(['other'], false);
  await send([group], flush);
  expect(group.open).toBe(1);
  ports.databaseFails = false;
  await vi.advanceTimersByTimeAsync(200);
  await send([group], flush);
  expect(group.outcomes).toEqual([{ result: 'committed' }]);
});

test('a stall that ends in resets costs no more than the events of the calls that were reset', async () => {
  const ports = new Ports({ threshold: 3 });
  const stalledUntil = Date.now() + 1500;
  let reset = 0;
  ports.meets = async (rows) => {
    const left = stalledUntil - Date.now();
    if (left <= 0) return true;
    reset += rows.length;
    await new Promise((resolve) => setTimeout(resolve, left));
    return false;
  };
  const writer = writerOf(ports);
  const written: Promise<readonly { result: string }[]>[] = [];
  for (let ms = 0; ms < 4000; ms += 10) {
    written.push(writer.write([prepared(`e${ms}`)]));
    await vi.advanceTimersByTimeAsync(10);
  }
  await vi.advanceTimersByTimeAsync(20_000);
  const outcomes = (await Promise.all(written)).flat();
  expect(outcomes.filter(({ result }) => result === 'unavailable').length).toBeLessThanOrEqual(reset);
  expect(outcomes.filter(({ result }) => result === 'committed').length).toBeGreaterThan(250);
});

test('one call that hangs keeps none of the later requests waiting for more than two seconds', async () => {
  const ports = new Ports({ threshold: 3 });
  ports.meets = failing((rows) => rows.includes('hangs'), 7000);
  const writer = writerOf(ports);
  void writer.write([prepared('hangs')]);
  const waits: Promise<number>[] = [];
  for (let ms = 0; ms < 6000; ms += 50) {
    const sentAt = Date.now();
    waits.push(writer.write([prepared(`e${ms}`)]).then(() => Date.now() - sentAt));
    await vi.advanceTimersByTimeAsync(50);
  }
  await vi.advanceTimersByTimeAsync(20_000);
  expect(Math.max(...(await Promise.all(waits)))).toBeLessThan(2000);
});

test('nor does a request that nobody follows wait for it', async () => {
  const ports = new Ports({ threshold: 3 });
  ports.meets = failing((rows) => rows.includes('hangs'), 7000);
  const writer = writerOf(ports);
  void writer.write([prepared('hangs')]);
  await vi.advanceTimersByTimeAsync(500);
  const [result, ms] = await write(writer, 'last');
  expect(result).toBe('committed');
  expect(ms).toBeLessThan(1000);
});
