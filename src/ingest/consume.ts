import { splitRows } from '../db/append.ts';
import { utf8Length } from '../events/measure.ts';
import { rowBytes } from '../events/row.ts';
import { storeOrBury } from './bury.ts';
import { chunksOf } from './chunks.ts';
import { buryMessage } from './consume-dead.ts';
import type { Database } from './database.ts';
import { isFinal } from './group.ts';
import { openMessage, packRows, type Opened } from './queue-message.ts';
import { delayAfter, postpone, type Delivered } from './postpone.ts';
import { sendMessages, spillRows, type Spill } from './spill.ts';

/** One message, and the rows in it. */
interface Parcel extends Opened {
  message: Delivered;
  /** how often its rows were tried, this time included */
  tries: number;
  /** nothing else is to go with it */
  alone: boolean;
}

/** What one call of the database carries, unless a single message brings more. */
const CALL = { count: 1000, bytes: 4 * 1024 * 1024 };
/** Bytes; smaller messages that have to wait are sent anew together, for an outage may leave very many of them. */
const SMALL = 50_000;
/** ms; what could not be tried by then comes again: the platform ends a batch after 15 minutes. */
const PATIENCE = 60_000;
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
  const until = startedAt + PATIENCE;
  const parcels: Parcel[] = [];
  for (const message of messages) {
    const opened = await openMessage(message.body);
    if (opened !== undefined) parcels.push(parcelOf(message, opened));
    else if (Date.now() < until) await buryMessage(message, database, spill);
    else await postpone(message, message.attempts, spill);
  }
  const { done, suspect } = await storeParcels(parcels, database, until);
  const left = parcels.filter((parcel) => !done.has(parcel));
  await postponeAll(left, suspect, spill);
  const [events, settled] = [countRows(parcels), countRows(done)];
  const ms = Date.now() - startedAt;
  console.log(JSON.stringify({ event: 'queue_batch', messages: messages.length, events, settled, ms }));
}

function parcelOf(message: Delivered, { joined, tries }: Opened): Parcel {
  const tried = tries + message.attempts;
  return { message, joined, tries: tried, alone: tried % ALONE_AT === 0 };
}

function countRows(parcels: Iterable<Parcel>): number {
  let count = 0;
  for (const { joined } of parcels) count += splitRows(joined).length;
  return count;
}

/**
 * Stores parcels, and acknowledges each that is done with.
 * @param until ms since 1970; no call is made after it but the first
 * @returns `done`; and a `suspect`: the only one that went alone in a call that failed, although the database works
 */
async function storeParcels(
  parcels: readonly Parcel[],
  database: Database,
  until: number,
): Promise<{ done: Set<Parcel>; suspect: Parcel | undefined }> {
  const done = new Set<Parcel>();
  const failedAlone: Parcel[] = [];
  // One call is tried in any case: consumers are few, and tell the breaker when the database is back.
  for (const call of callsOf(parcels, database.breaker.isClosed)) {
    const rows = call.map(({ joined }) => splitRows(joined));
    const outcomes = await storeOrBury(rows.flat(), [], database, () => {});
    const inOrder = outcomes.values();
    for (const [place, parcel] of call.entries()) {
      const own = rows[place]?.map(() => inOrder.next().value) ?? [];
      if (!own.every((outcome) => outcome !== undefined && isFinal(outcome))) continue;
      done.add(parcel);
      parcel.message.ack();
    }
    if (outcomes.some(({ result }) => result === 'unavailable'))
      failedAlone.push(...call.filter(({ alone }) => alone));
    // The rest would be tried in vain, or for longer than a batch may take.
    if (!database.breaker.isClosed || Date.now() >= until) break;
  }
  // Where several fail, it is the database: a full disk, a lock.
  const [first, ...others] = failedAlone;
  const suspect = others.length === 0 && first !== undefined && (await answers(database)) ? first : undefined;
  return { done, suspect };
}

/** Whether the database takes a call of nothing. */
async function answers(database: Database): Promise<boolean> {
  return (await database.append([], false)).ok;
}

/** One message alone finds out whether a database is back that was down: a call in vain is to cost little. */
function* callsOf(parcels: readonly Parcel[], isUp: boolean): Generator<readonly Parcel[]> {
  const probe = isUp ? [] : parcels.slice(0, 1);
  if (probe.length > 0) yield probe;
  yield* chunksOf(parcels.slice(probe.length), CALL, ({ joined, alone }) => {
    const rows = splitRows(joined);
    // With a parcel that is to go alone nothing fits.
    const bytes = alone ? Infinity : rows.reduce((sum, row) => sum + rowBytes(row), 0);
    return { count: rows.length, bytes };
  });
}

/**
 * Lets what could not be stored come again later, small messages in fewer ones, and a suspect in halves: what holds it up
 * stands alone in the end.
 */
async function postponeAll(
  parcels: readonly Parcel[],
  suspect: Parcel | undefined,
  spill: Spill,
): Promise<void> {
  const small = parcels.filter(({ joined, alone }) => utf8Length(joined) < SMALL && !alone);
  const merged = new Set(small.length > 1 ? await mergeLater(small, spill) : []);
  for (const parcel of parcels) {
    const isHeld = merged.has(parcel) || (parcel === suspect && (await halveLater(parcel, spill)));
    if (isHeld) parcel.message.ack();
    else await postpone(parcel.message, parcel.tries, spill);
  }
}

/** So that what comes again goes alone again. @returns whether the queue holds both halves, or the one row there is */
async function halveLater({ joined, tries }: Parcel, { queue }: Spill): Promise<boolean> {
  const rows = splitRows(joined);
  const middle = rows.length >> 1;
  const halves = [rows.slice(0, middle), rows.slice(middle)].map((half) => packRows(half, tries - 1));
  return sendMessages(queue, (await Promise.all(halves)).flat(), delayAfter(tries));
}

/** @returns those whose rows the queue holds once more */
async function mergeLater(parcels: readonly Parcel[], spill: Spill): Promise<readonly Parcel[]> {
  const joined = parcels.map((parcel) => parcel.joined);
  const tries = Math.max(...parcels.map((parcel) => parcel.tries));
  const held = await spillRows(joined, spill, () => {}, { tries, delaySeconds: delayAfter(tries) });
  return parcels.slice(0, held);
}
