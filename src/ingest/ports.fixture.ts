import { splitRows, type NotStored, type NotStoredAlone } from '../db/append.ts';
import type { Outcome } from '../db/call.ts';
import type { Letter } from '../db/dead-letters.ts';
import type { Queue } from '../env.ts';
import type { PreparedEvent } from '../events/prepare.ts';
import { Breaker } from './breaker.ts';
import { telling, type Database } from './database.ts';
import { openMessage } from './queue-message.ts';
import type { Spill } from './spill.ts';

const DOWN = { ok: false as const, failure: { kind: 'unavailable' as const, sqlstate: null } };

/** An event whose row is a plain word. */
export function prepared(row: string): PreparedEvent {
  const createdAt = '1970-01-01T00:00:00.000Z';
  const terms = { action: 'a', targetTypes: [] };
  return {
    id: row,
    workspaceId: 'acme',
    createdAt,
    row,
    bytes: row.length,
    leafHash: '',
    redacted: [],
    terms,
  };
}

/** Lets the calls that carry such rows fail, after so many ms. */
export function failing(isSuch: (rows: readonly string[]) => boolean, ms: number): Ports['meets'] {
  return async (rows) => {
    if (!isSuch(rows)) return true;
    await new Promise((resolve) => setTimeout(resolve, ms));
    return false;
  };
}

/** What stands behind the ports of ingest, for unit tests: rows are plain words, and `bad…` ones are refused. */
export class Ports {
  stored: string[] = [];
  buried: Letter[] = [];
  queued: string[] = [];
  /** messages that the queue took */
  sent: { body: string | Uint8Array; delaySeconds: number | undefined }[] = [];
  /** rows of each call of the database */
  calls: number[] = [];
  databaseFails = false;
  /** what happens before the database answers a call; whether it does */
  meets: (rows: readonly string[]) => Promise<boolean> = async () => true;
  buryFails = false;
  queueFails = false;
  readonly database: Database;
  readonly spill: Spill;

  constructor(options: { threshold: number } = { threshold: Infinity }) {
    this.database = telling(new Breaker(options), {
      append: async (rows) => this.#append(rows),
      appendEach: async (rows) => this.#appendEach(rows),
      bury: async (letters) => {
        if (this.databaseFails || this.buryFails) return DOWN;
        this.buried.push(...letters);
        return { ok: true, value: letters.length };
      },
    });
    const queue: Queue = {
      sendBatch: async (messages, options) => {
        if (this.queueFails) throw new Error('Queue is overloaded');
        for (const { body } of messages) {
          this.sent.push({ body, delaySeconds: options?.delaySeconds });
          const opened = await openMessage(body);
          if (opened !== undefined) this.queued.push(...splitRows(opened.joined));
        }
      },
      metrics: async () => ({ backlogCount: 0, backlogBytes: 0 }),
    };
    this.spill = { queue, breaker: new Breaker(options) };
  }

  async #isDown(rows: readonly string[]): Promise<boolean> {
    return this.databaseFails || !(await this.meets(rows));
  }

  async #append(rows: readonly string[]): Promise<Outcome<NotStored[]>> {
    this.calls.push(rows.length);
    if (await this.#isDown(rows)) return DOWN;
    if (rows.some((row) => row.startsWith('bad'))) {
      return {
        ok: false,
        failure: { kind: 'refused', sqlstate: '23514', constraint: 'a_check', detail: null },
      };
    }
    this.stored.push(...rows);
    return { ok: true, value: [] };
  }

  async #appendEach(rows: readonly string[]): Promise<Outcome<NotStoredAlone[]>> {
    this.calls.push(rows.length);
    if (await this.#isDown(rows)) return DOWN;
    const value = rows.flatMap((row, index): NotStoredAlone[] => {
      if (!row.startsWith('bad')) this.stored.push(row);
      const refused = {
        sqlstate: '23514',
        constraint: 'a_check',
        detail: 'It breaks the constraint a_check.',
      };
      return row.startsWith('bad') ? [{ index, result: 'refused', ...refused }] : [];
    });
    return { ok: true, value };
  }
}
