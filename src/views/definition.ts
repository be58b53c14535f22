/** A view with the name and the columns of a table that came before Daybook. */
export interface ViewDefinition {
  /** where the table was; `public` is where the search path finds it */
  schema: string;
  name: string;
  /** whether its rows named their workspaces: then the view may show all of them */
  hasWorkspaces: boolean;
  /** names and expressions over `e` (audit.events) and `address`, in the table's order and of its types */
  columns: readonly (readonly [name: string, expression: string])[];
}

const UUID = `'^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'`;

/** The text as a uuid; null where it is none. */
export function uuidOf(text: string): string {
  return `CASE WHEN ${text} ~ ${UUID} THEN (${text})::uuid END`;
}

/** The id that the row had, or the event's own. */
export const OLD_UUID = `coalesce(${uuidOf('e.source_id')}, e.id)`;
export const OLD_ID = 'coalesce(e.source_id, e.id::text)';

/** As addresses read everywhere: `[anonymized]` once they are past their time. */
export const ADDRESS = `CASE WHEN e.ip_commitment IS NOT NULL THEN coalesce(host(address.ip_address), '[anonymized]') END`;

/** Only of users: other actors had no id there. */
export const USER = `CASE WHEN e.actor_type = 'user' THEN e.actor_id END`;
