import { storeOrBury } from './bury.ts';
import { buryMessage } from './consume-dead.ts';
import { rowBytes } from '../events/row.ts';
import type { Database } from './database.ts';
import { isFinal } from './group.ts';
import { unpackRows } from './queue-message.ts';
import { postpone, type Delivered } from './postpone.ts';
import type { Spill } from './spill.ts';
import type { RowOutcome } from './store.ts';

/** One message, and the rows in it. */
interface Parcel {
  message: Delivered;
  rows: string[];
  bytes: number;
}

/** What one call of the database carries, unless a single message brings more. */
const CALL_ROWS = 1000;
const CALL_BYTES = 4 * 1024 * 1024;
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
    const rows = await unpackRows(message.body);
    if (rows === undefined) await buryMessage(message, database, spill);
    else parcels.push({ message, rows, bytes: rows.reduce((sum, row) => sum + rowBytes(row), 0) });
  }
  let settled = 0;
  let isDown = false;
  for (const call of callsOf(parcels)) {
    const outcomes: RowOutcome[] = isDown ? [] : await storeCall(call, database);
    // One call of a batch is tried in any case: consumers are few, and tell the breaker when the database is back.
    isDown ||= outcomes.some(({ result }) => result === 'unavailable');
    const done = doneOf(call, outcomes);
    for (const parcel of call) {
      if (done.has(parcel)) parcel.message.ack();
      else await postpone(parcel.message, spill);
    }
    settled += [...done].reduce((sum, { rows }) => sum + rows.length, 0);
  }
  const events = parcels.reduce((sum, { rows }) => sum + rows.length, 0);
  const ms = Date.now() - startedAt;
  console.log(JSON.stringify({ event: 'queue_batch', messages: messages.length, events, settled, ms }));
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
  const calls: Parcel[][] = [];
  let [rows, bytes] = [0, 0];
  let isShared = false;
  for (const parcel of parcels) {
    const last = calls.at(-1);
    const alone = parcel.message.attempts % ALONE_AT === 0;
    rows += parcel.rows.length;
    bytes += parcel.bytes;
    if (last !== undefined && isShared && !alone && rows <= CALL_ROWS && bytes <= CALL_BYTES) {
      last.push(parcel);
      continue;
    }
    calls.push([parcel]);
    isShared = !alone;
    rows = parcel.rows.length;
    bytes = parcel.bytes;
  }
  return calls;
}
