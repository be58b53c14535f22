import { splitRows } from '../db/append.ts';
import type { Delivered } from './postpone.ts';
import type { Opened } from './queue-message.ts';

/** A message of the queue that was opened, and the rows in it. */
export interface Parcel {
  message: Delivered;
  /** its rows, as `joinRows` writes them */
  joined: string;
  /** how often its rows were tried, this time included */
  tries: number;
  /** nothing else is to go with it */
  alone: boolean;
}

/** At each so-manieth attempt a message goes alone, so that nothing in another can hold it up for ever. */
const ALONE_AT = 8;

/** @param opened what the message carries */
export function parcelOf(message: Delivered, { joined, tries }: Opened): Parcel {
  const tried = tries + message.attempts;
  return { message, joined, tries: tried, alone: tried % ALONE_AT === 0 };
}

export function countRows(parcels: Iterable<Parcel>): number {
  let count = 0;
  for (const { joined } of parcels) count += splitRows(joined).length;
  return count;
}
