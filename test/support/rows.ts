import type { Sql } from '../../src/db/client.ts';
import { joinRows, type NotStored } from '../../src/db/append.ts';
import { makeId } from '../../src/events/id.ts';
import { prepareEvent, type PreparedEvent } from '../../src/events/prepare.ts';
import { readRow } from './row-literal.ts';

export interface Place {
  workspaceId?: string;
  /** ms since 1970: the time inside the id; now unless given */
  at?: number;
  /** the key it was sent with; none unless given, as what the service writes */
  keyId?: string | null;
}

/** An event as the Worker prepares it. */
export function prepared(fields: Record<string, unknown> = {}, place: Place = {}): PreparedEvent {
  const { workspaceId = 'acme', at = Date.now(), keyId = null } = place;
  const actor = { type: 'user', id: 'u_1' };
  const raw = { id: makeId(at), action: 'user.logged_in', actor, target: { type: 'session' }, ...fields };
  const outcome = prepareEvent(raw, { workspaceId, keyId, now: at, checkWindow: false });
  if (!outcome.ok) throw new Error(`the test's event is not valid: ${JSON.stringify(outcome.flaws)}`);
  return outcome.event;
}

/** A prepared event whose context holds an address. */
export function withAddress(address: string, place: Place = {}): PreparedEvent {
  return prepared({ context: { ip_address: address } }, place);
}

/** A prepared event, or the columns of a row made by hand. */
export type Row = PreparedEvent | Record<string, unknown>;

/** The statement that stores a batch, and its parameters: the Worker's own, or `audit.append` where rows are made by hand. */
export function appendStatement(rows: readonly Row[], atomic = false): { text: string; values: unknown[] } {
  if (rows.every(isPrepared)) {
    const text = 'SELECT audit.append_rows(audit.rows_of($1), $2) AS not_stored';
    return { text, values: [joinRows(rows.map(({ row }) => row)), atomic] };
  }
  return {
    text: 'SELECT audit.append($1::jsonb, $2) AS not_stored',
    values: [JSON.stringify(rows.map((row) => (isPrepared(row) ? readRow(row.row) : row))), atomic],
  };
}

function isPrepared(row: Row): row is PreparedEvent {
  return 'leafHash' in row;
}

/** Appends a batch. @returns what was not stored @throws the driver's error */
export async function appendRows(sql: Sql, rows: readonly Row[], atomic = false): Promise<NotStored[]> {
  const { text, values } = appendStatement(rows, atomic);
  const [answer] = await sql.query(text, values);
  return answer?.['not_stored'] as NotStored[];
}
