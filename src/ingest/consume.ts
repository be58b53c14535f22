import { rowBytes } from '../events/row.ts';
import { storeOrBury } from './bury.ts';
import { chunksOf } from './chunks.ts';
import { buryMessage } from './consume-dead.ts';
import type { Database } from './database.ts';
import { isFinal } from './group.ts';
import { unpackRows, type Unpacked } from './queue-message.ts';
import { delayAfter, postpone, type Delivered } from './postpone.ts';
import { spillRows, type Spill } from './spill.ts';
import type { RowOutcome } from './store.ts';

/** One message, and the rows in it. */
interface Parcel {
  message: Delivered;
  rows: readonly string[];
  bytes: number;
  /** how often its rows were tried, this time included */
  tries: number;
  /** nothing else is to go with it */
  alone: boolean;
}

/** What one call of the database carries, unless a single message brings more. */
const CALL = { count: 1000, bytes: 4 * 1024 * 1024 };
/** Bytes; smaller messages that have to wait are sent anew together, for an outage may leave very many of them. */
const SMALL = 50_000;
/** At each so-manieth attempt a message goes alone, so that nothing in another can hold it up for ever. */
const ALONE_AT = 8;

/**
 * Brings what the queue held to the database, in few, full calls. What was stored, or is kept as a dead letter, is done
 * with; everything else comes again, after a growing delay, for as long as the database is down.
 */
export async function consume(
  messages: readonly Delivered[],
  database: Database,
  spill: Spill,
): Promise<void> {
  const startedAt = Date.now();
  const parcels: Parcel[] = [];
  for (const message of messages) {
    const unpacked = await unpackRows(message.body);
    if (unpacked === undefined) await buryMessage(message, database, spill);
    else parcels.push(parcelOf(message, unpacked));
  }
  const left: Parcel[] = [];
  let settled = 0;
  let isDown = false;
  for (const call of callsOf(parcels)) {
    const outcomes: RowOutcome[] = isDown ? [] : await storeCall(call, database);
    // One call of a batch is tried in any case: consumers are few, and tell the breaker when the database is back.
    isDown ||= outcomes.some(({ result }) => result === 'unavailable');
    const done = doneOf(call, outcomes);
    for (const parcel of call) {
      if (done.has(parcel)) parcel.message.ack();
      else left.push(parcel);
    }
    settled += [...done].reduce((sum, { rows }) => sum + rows.length, 0);
  }
  await postponeAll(left, spill);
  const events = parcels.reduce((sum, { rows }) => sum + rows.length, 0);
  const ms = Date.now() - startedAt;
  console.log(JSON.stringify({ event: 'queue_batch', messages: messages.length, events, settled, ms }));
}

function parcelOf(message: Delivered, unpacked: Unpacked): Parcel {
  const bytes = unpacked.rows.reduce((sum, row) => sum + rowBytes(row), 0);
  const tries = unpacked.tries + message.attempts;
  return { message, rows: unpacked.rows, bytes, tries, alone: tries % ALONE_AT === 0 };
}

/** Lets what could not be stored come again later, small messages in fewer ones. */
async function postponeAll(parcels: readonly Parcel[], spill: Spill): Promise<void> {
  const small = parcels.filter(({ bytes, alone }) => bytes < SMALL && !alone);
  const merged = new Set(small.length > 1 ? await mergeLater(small, spill) : []);
  for (const parcel of parcels) {
    if (merged.has(parcel)) parcel.message.ack();
    else await postpone(parcel.message, parcel.tries, spill);
  }
}

/** @returns those whose rows the queue holds once more */
async function mergeLater(parcels: readonly Parcel[], spill: Spill): Promise<Parcel[]> {
  const rows = parcels.flatMap((parcel) => parcel.rows);
  const tries = Math.max(...parcels.map((parcel) => parcel.tries));
  let held = await spillRows(rows, spill, () => {}, { tries, delaySeconds: delayAfter(tries) });
  return parcels.filter((parcel) => (held -= parcel.rows.length) >= 0);
}

function storeCall(call: readonly Parcel[], database: Database): Promise<RowOutcome[]> {
  const rows = call.flatMap((parcel) => parcel.rows);
  return storeOrBury(rows, [], database, () => {});
}

/** @returns the parcels of which every row is stored or kept */
function doneOf(call: readonly Parcel[], outcomes: readonly RowOutcome[]): Set<Parcel> {
  const inOrder = outcomes.values();
  return new Set(
    call.filter((parcel) => {
      const own = parcel.rows.map(() => inOrder.next().value);
      return own.every((outcome) => outcome !== undefined && isFinal(outcome));
    }),
  );
}

function callsOf(parcels: readonly Parcel[]): Parcel[][] {
  // With a parcel that is to go alone nothing fits.
  return chunksOf(parcels, CALL, ({ rows, bytes, alone }) => ({
    count: rows.length,
    bytes: alone ? Infinity : bytes,
  }));
}
