import { appendRows, prepared, type Place } from './rows.ts';
import type { TestDatabase } from './database.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** Makes the partitions of a time that are not there, as if they had been made in it. @returns their names */
export async function partitionsFor(
  { owner }: TestDatabase,
  at: number,
  parents = ['events', 'event_targets', 'event_ips'],
) {
  const names: string[] = [];
  for (const parent of parents) {
    const [row] = await owner.query(
      `SELECT CASE WHEN to_regclass('audit.' || p.name) IS NULL THEN audit.make_partition($1, $2) ELSE p.name END AS name
       FROM audit.partition_at($1, $2) p`,
      [parent, new Date(at)],
    );
    names.push(String(row?.['name']));
  }
  await owner.query(
    'UPDATE audit.made_partitions SET created_at = least(created_at, $2) WHERE name = ANY ($1)',
    [names, new Date(at)],
  );
  return names;
}

/**
 * Stores an event with an address as if it had been appended in its time: an address that is past its time today is
 * put beside it by the owner.
 * @returns the event's id
 */
export async function storeAged(
  database: TestDatabase,
  address: string,
  place: Place & { at: number },
  fields: Record<string, unknown> = {},
): Promise<string> {
  await partitionsFor(database, place.at);
  const event = prepared({ context: { ip_address: address }, ...fields }, place);
  await appendRows(database.app, [event]);
  await database.owner.query(
    `INSERT INTO audit.event_ips (workspace_id, event_id, created_at, ip_address, salt)
     VALUES ($1, $2, $3, $4, decode(md5('salt'), 'hex')) ON CONFLICT DO NOTHING`,
    [event.workspaceId, event.id, new Date(event.createdAt), address],
  );
  return event.id;
}
