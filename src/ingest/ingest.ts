import type { Sql } from '../db/client.ts';
import type { Env } from '../env.ts';
import type { Catalogue } from '../events/catalogue.ts';
import type { Ack } from './ack.ts';
import { Breaker } from './breaker.ts';
import { Catalogues } from './catalogues.ts';
import { databaseOf, type Database } from './database.ts';
import { Room } from './room.ts';
import { sendAccepted } from './send-accepted.ts';
import { sendCommitted } from './send-committed.ts';
import { sendQueued } from './send-queued.ts';
import type { Send } from './send.ts';
import type { Spill } from './spill.ts';
import type { WriterOptions } from './writer-options.ts';
import { Writer } from './writer.ts';

/** What an isolate keeps to take events in: one writer for each promise, and what they share. */
export interface Ingest {
  writers: Readonly<Record<Ack, Writer>>;
  room: Room;
  database: Database;
  spill: Spill;
  /** of the strict workspaces */
  catalogues: Catalogues;
  /** of the team's own Worker, for every event */
  catalogue: Catalogue | undefined;
  /** what is promised where a request does not ask */
  defaultAck: Ack;
}

/** Bytes that may wait or be under way: a call makes five copies of its rows, and the isolate has 128 MB. */
const ROOM = 12 * 1024 * 1024;
/** ms between flushes of events that nobody waits for, under load */
const LINGER = 100;

export function createIngest(env: Env, sql: Sql, catalogue?: Catalogue): Ingest {
  const room = new Room(ROOM);
  const database = databaseOf(sql, new Breaker());
  const spill: Spill = { queue: env.QUEUE, breaker: new Breaker() };
  const writer = (
    ack: Ack,
    { breaker }: Database | Spill,
    send: Send,
    options: Partial<WriterOptions> = {},
  ) =>
    new Writer({
      send,
      room,
      isHeldUp: () => !breaker.isClosed || breaker.isSlow,
      onFlush: (report) => console.log(JSON.stringify({ event: 'flush', ack, ...report })),
      ...options,
    });
  return {
    writers: {
      accepted: writer('accepted', database, sendAccepted(database, spill), {
        linger: LINGER,
      }),
      queued: writer('queued', spill, sendQueued(spill)),
      committed: writer('committed', database, sendCommitted(database)),
    },
    room,
    database,
    spill,
    catalogues: new Catalogues(sql),
    catalogue,
    defaultAck: env.DAYBOOK_DEFAULT_ACK,
  };
}
