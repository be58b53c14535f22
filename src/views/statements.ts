import type { ViewDefinition } from './definition.ts';

export interface Shown {
  /** the one whose events it shows; all that its reader may read where it is left out */
  workspaceId: string | undefined;
  /** columns that are integers in the table: whoever compares them with numbers finds them so */
  integers: readonly string[];
}

/** The query of a view. */
export function queryOf(view: ViewDefinition, { workspaceId, integers }: Shown): string {
  const columns = view.columns.map(([name, expression]) => {
    const shown = integers.includes(name) ? integerOf(expression) : expression;
    return `${shown} AS ${identifier(name)}`;
  });
  const where = workspaceId === undefined ? '' : ` WHERE e.workspace_id = ${literal(workspaceId)}`;
  return `SELECT ${columns.join(', ')}
    FROM audit.events e LEFT JOIN audit.event_ips address
      ON address.workspace_id = e.workspace_id AND address.event_id = e.id AND address.created_at = e.created_at
      AND address.created_at > (SELECT audit.ip_horizon())${where}`;
}

/** Null where the text is no integer, as the id of an event that never was in the table. */
function integerOf(expression: string): string {
  return `CASE WHEN (${expression})::text ~ '^-?[0-9]{1,18}$' THEN (${expression})::text::bigint END`;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Standard-conforming; a backslash means nothing in it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
