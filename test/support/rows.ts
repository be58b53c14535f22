import type { Sql } from '../../src/db/client.ts';
import type { NotStored } from '../../src/db/append.ts';
import { makeId } from '../../src/events/id.ts';
import { prepareEvent, type PreparedEvent } from '../../src/events/prepare.ts';

export interface Place {
  workspaceId?: string;
  /** ms since 1970: the time inside the id; now unless given */
  at?: number;
}

/** An event as the Worker prepares it for `audit.append`. */
export function prepared(fields: Record<string, unknown> = {}, place: Place = {}): PreparedEvent {
  const { workspaceId = 'acme', at = Date.now() } = place;
  const actor = { type: 'user', id: 'u_1' };
  const raw = { id: makeId(at), action: 'user.logged_in', actor, target: { type: 'session' }, ...fields };
  const outcome = prepareEvent(raw, { workspaceId, keyId: null, now: at, checkWindow: false });
  if (!outcome.ok) throw new Error(`the test's event is not valid: ${JSON.stringify(outcome.flaws)}`);
  return outcome.event;
}

/** A prepared event whose context holds an address. */
export function withAddress(address: string, place: Place = {}): PreparedEvent {
  return prepared({ context: { ip_address: address } }, place);
}

/** What `audit.append` is given: a prepared event, or a row made by hand. */
export type Row = PreparedEvent | Record<string, unknown>;

/** The JSON text of a batch. */
export function batchOf(rows: Row[]): string {
  return `[${rows.map((row) => (typeof row['row'] === 'string' ? row['row'] : JSON.stringify(row))).join(',')}]`;
}

/** Appends a batch. @returns what was not stored @throws the driver's error */
export async function appendRows(sql: Sql, rows: Row[], atomic = false): Promise<NotStored[]> {
  const [answer] = await sql.query('SELECT audit.append($1::jsonb, $2) AS not_stored', [
    batchOf(rows),
    atomic,
  ]);
  return answer?.['not_stored'] as NotStored[];
}
