import { splitRows } from '../db/append.ts';
import { rowBytes } from '../events/row.ts';
import { storeOrBury } from './bury.ts';
import { chunksOf } from './chunks.ts';
import { buryMessage } from './consume-dead.ts';
import type { Database } from './database.ts';
import { isFinal } from './group.ts';
import { openMessage } from './queue-message.ts';
import { countRows, parcelOf, type Parcel } from './parcel.ts';
import { postponeParcels } from './postpone-parcels.ts';
import { delayAfter, postpone, type Delivered } from './postpone.ts';
import type { Spill } from './spill.ts';

/** What one call of the database carries, unless a single message brings more. */
const CALL = { count: 1000, bytes: 4 * 1024 * 1024 };
/** ms; what could not be tried by then comes again: the platform ends a batch after 15 minutes. */
const PATIENCE = 60_000;

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
    else await postpone(message, delayAfter(message.attempts, database.breaker), spill);
  }
  const { done, suspect } = await storeParcels(parcels, database, until);
  const left = parcels.filter((parcel) => !done.has(parcel));
  await postponeParcels(left, suspect, database.breaker, spill);
  const [events, settled] = [countRows(parcels), countRows(done)];
  const ms = Date.now() - startedAt;
  console.log(JSON.stringify({ event: 'queue_batch', messages: messages.length, events, settled, ms }));
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
