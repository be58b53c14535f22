import type { RevocationList } from '../auth/revocation.ts';
import type { Sql } from '../db/client.ts';
import type { Queue } from '../env.ts';
import { askReadiness, CALL_LIMIT, type DatabaseReadiness } from './database.ts';
import { Kept } from './kept.ts';
import { askQueue, type Backlog } from './queue.ts';

const SECOND = 1000;
/** ms for which an answer is kept. */
const KEPT = 3 * SECOND;
/** ms for which the database's is kept at most, where nobody uses it: being asked would keep it from going to sleep. */
const KEPT_IDLE = 900 * SECOND;
/** ms since the list of revoked keys was read, within which the database counts as used. */
const IN_USE = 60 * SECOND;
/** s; partitions must reach at least so far. */
const AHEAD = 24 * 3600;
/** s; a message that waited longer is not being consumed. */
const OLDEST = 900;

export interface Check {
  status: 'ok' | 'failing';
  /** what is wrong */
  detail?: string;
}

export type Checks = Record<'database' | 'partitions' | 'retention' | 'queue', Check>;

/**
 * Whether this deployment can do its work. Anybody may ask, so the answers are kept for 3 s, and in a deployment that
 * nobody else uses the database is asked ever more rarely: twice as long between two times, up to 15 minutes.
 */
export class Readiness {
  readonly #revocations: RevocationList;
  readonly #database: Kept<DatabaseReadiness | undefined>;
  readonly #queue: Kept<Backlog | undefined>;
  /** how many times on end the database was asked while nobody used it, and nothing was wrong */
  #idle = 0;

  constructor(sql: Sql, queue: Queue, revocations: RevocationList) {
    this.#revocations = revocations;
    const ask = async () => {
      const answer = await askReadiness(sql);
      this.#idle = isWell(answer) && !this.#isInUse() ? this.#idle + 1 : 0;
      return answer;
    };
    this.#database = new Kept(ask, CALL_LIMIT);
    this.#queue = new Kept(() => askQueue(queue), CALL_LIMIT);
  }

  /** Takes 5 s at most. @param waitUntil keeps a renewal alive when its request goes away */
  async check(waitUntil: (promise: Promise<unknown>) => void): Promise<{ ready: boolean; checks: Checks }> {
    const [database, backlog] = await Promise.all([
      this.#database.get(this.#patience(), waitUntil),
      this.#queue.get(KEPT, waitUntil),
    ]);
    const checks = judge(database, backlog);
    return { ready: Object.values(checks).every(({ status }) => status === 'ok'), checks };
  }

  #patience(): number {
    if (this.#isInUse()) return KEPT;
    return Math.min(KEPT * 2 ** Math.max(0, this.#idle - 1), KEPT_IDLE);
  }

  #isInUse(): boolean {
    return Date.now() - this.#revocations.askedAt < IN_USE;
  }
}

/** @param database, backlog `undefined` where there was no answer */
export function judge(database: DatabaseReadiness | undefined, backlog: Backlog | undefined): Checks {
  return {
    database: check(database === undefined && 'It gives no usable answer.'),
    partitions: check(database === undefined ? UNKNOWN : partitionsFault(database)),
    retention: check(
      database === undefined
        ? UNKNOWN
        : database.retention_overdue && 'Something has been due for two hours.',
    ),
    queue: check(
      backlog === undefined
        ? 'It gives no answer.'
        : backlog.oldest > OLDEST &&
            `Its oldest message waits for ${Math.floor(backlog.oldest / 60)} minutes.`,
    ),
  };
}

function isWell(database: DatabaseReadiness | undefined): boolean {
  return database !== undefined && !database.retention_overdue && partitionsFault(database) === false;
}

const UNKNOWN = 'Not known without the database.';

function partitionsFault({ partitions_ahead_s: ahead }: DatabaseReadiness): string | false {
  const faults = Object.entries(ahead)
    .filter(([, seconds]) => seconds < AHEAD)
    .map(([table, seconds]) => `${table} ${seconds > 0 ? 'has none in 24 hours' : 'has none for now'}`);
  return faults.length > 0 && `${faults.join('; ')}.`;
}

function check(fault: string | false): Check {
  return fault === false ? { status: 'ok' } : { status: 'failing', detail: fault };
}
