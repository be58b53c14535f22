import { setTimeout as pause } from 'node:timers/promises';
import type { NotStoredAlone } from '../db/append.ts';
import type { PreparedEvent } from '../events/prepare.ts';
import type { AppendRows } from './append-rows.ts';
import { ImportError } from './import-error.ts';
import { AWAY, PAUSES_MS, refusal } from './patience.ts';
import type { Partitions } from './partitions.ts';
import type { Reason } from './reason.ts';

/** What became of an event. */
export type Stored = { result: 'stored' } | { result: 'already' } | { result: 'rejected'; reason: Reason };

/** An event and whether it needs a day's partition. */
export interface Item {
  event: PreparedEvent;
  hasAddress: boolean;
}

/** Neon takes 10 MiB in a call, where quotes and backslashes are written as two bytes. */
const MAX_CALL_BYTES = 4 * 1024 * 1024;

/**
 * Stores events, each once, in calls of bounded size. A database that is away is tried again for a while.
 * @returns what became of each, in order
 * @throws ImportError when the database does not answer or does not take the call
 */
export async function storeEvents(
  append: AppendRows,
  partitions: Partitions,
  items: readonly Item[],
): Promise<Stored[]> {
  const stored: Stored[] = [];
  for (const call of callsOf(items)) stored.push(...(await storeCall(append, partitions, call)));
  return stored;
}

function callsOf(items: readonly Item[]): Item[][] {
  const calls: Item[][] = [];
  let held = MAX_CALL_BYTES;
  for (const item of items) {
    held += item.event.bytes;
    if (held > MAX_CALL_BYTES) {
      calls.push([]);
      held = item.event.bytes;
    }
    calls.at(-1)?.push(item);
  }
  return calls;
}

async function storeCall(
  append: AppendRows,
  partitions: Partitions,
  items: readonly Item[],
): Promise<Stored[]> {
  const stored = items.map((): Stored => ({ result: 'stored' }));
  let open = items.map((item, place) => ({ item, place }));
  for (const wait of PAUSES_MS) {
    await partitions.ensure(
      open.map(({ item }) => ({ createdAt: item.event.createdAt, hasAddress: item.hasAddress })),
    );
    const outcome = await append(open.map(({ item }) => item.event.row));
    if (outcome.ok) {
      const without = outcome.value.filter((entry) => entry.result === 'no_partition');
      for (const entry of outcome.value) {
        const place = open[entry.index]?.place;
        if (place !== undefined) stored[place] = resultOf(entry);
      }
      if (without.length === 0) return stored;
      open = open.filter((_, index) => without.some((entry) => entry.index === index));
      for (const { place } of open) stored[place] = { result: 'stored' };
      partitions.forget();
    } else if (outcome.failure.kind !== 'unavailable' || isFault(outcome.failure.sqlstate)) {
      throw refusal(outcome.failure.sqlstate);
    }
    await pause(wait);
  }
  throw new ImportError(AWAY);
}

/** Logins, rights, and names that are missing: time does not heal them. */
function isFault(sqlstate: string | null): boolean {
  return sqlstate !== null && /^(0A|28|3D|3F|42)/.test(sqlstate);
}

function resultOf(entry: NotStoredAlone): Stored {
  switch (entry.result) {
    case 'duplicate':
      return { result: 'already' };
    case 'conflict':
      return { result: 'rejected', reason: { code: 'conflict', detail: CONFLICT } };
    case 'refused': {
      const { sqlstate, detail } = entry;
      return {
        result: 'rejected',
        reason: { code: `refused ${sqlstate}`, detail: `The database refuses it: ${detail}` },
      };
    }
    default:
      return { result: 'stored' };
  }
}

const CONFLICT =
  'This row was imported before with other content, or another source of the same name has a row with this id and time; what is stored stays. For another source give a name of its own in a mapping.';
