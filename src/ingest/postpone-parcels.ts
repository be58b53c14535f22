import { splitRows } from '../db/append.ts';
import { utf8Length } from '../events/measure.ts';
import type { Breaker } from './breaker.ts';
import type { Parcel } from './parcel.ts';
import { delayAfter, postpone } from './postpone.ts';
import { packRows } from './queue-message.ts';
import { sendMessages, spillRows, type Spill } from './spill.ts';

/** Bytes; smaller messages that have to wait are sent anew together, for an outage may leave very many of them. */
const SMALL = 50_000;

/**
 * Lets what could not be stored come again later, small messages in fewer ones, and a suspect in halves: what holds it up
 * stands alone in the end.
 */
export async function postponeParcels(
  parcels: readonly Parcel[],
  suspect: Parcel | undefined,
  breaker: Breaker,
  spill: Spill,
): Promise<void> {
  const small = parcels.filter(({ joined, alone }) => utf8Length(joined) < SMALL && !alone);
  const merged = new Set(small.length > 1 ? await mergeLater(small, breaker, spill) : []);
  for (const parcel of parcels) {
    const isHeld = merged.has(parcel) || (parcel === suspect && (await halveLater(parcel, breaker, spill)));
    if (isHeld) parcel.message.ack();
    else await postpone(parcel.message, delayAfter(parcel.tries, breaker), spill);
  }
}

/** So that what comes again goes alone again. @returns whether the queue holds both halves, or the one row there is */
async function halveLater({ joined, tries }: Parcel, breaker: Breaker, { queue }: Spill): Promise<boolean> {
  const rows = splitRows(joined);
  const middle = rows.length >> 1;
  const halves = [rows.slice(0, middle), rows.slice(middle)].map((half) => packRows(half, tries - 1));
  return sendMessages(queue, (await Promise.all(halves)).flat(), delayAfter(tries, breaker));
}

/** @returns those whose rows the queue holds once more */
async function mergeLater(
  parcels: readonly Parcel[],
  breaker: Breaker,
  spill: Spill,
): Promise<readonly Parcel[]> {
  const joined = parcels.map((parcel) => parcel.joined);
  const tries = Math.max(...parcels.map((parcel) => parcel.tries));
  const held = await spillRows(joined, spill, () => {}, { tries, delaySeconds: delayAfter(tries, breaker) });
  return parcels.slice(0, held);
}
