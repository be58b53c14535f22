import * as z from 'zod';
import type { Terms } from '../events/terms.ts';
import type { Sql } from './client.ts';

const catalogues = z.record(
  z.string(),
  z.object({ actions: z.array(z.string()), target_types: z.array(z.string()) }),
);

/** Ids of the workspaces that are strict. @throws NeonDbError */
export async function readStrictWorkspaces(sql: Sql, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const query = 'SELECT strict_workspaces AS id FROM audit.strict_workspaces()';
  const rows = await sql.query(query, [], { fetchOptions: { signal } });
  return new Set(rows.map((row) => String(row['id'])));
}

/** What those of the workspaces take that are strict. @throws NeonDbError, ZodError */
export async function readCatalogues(
  sql: Sql,
  workspaceIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Terms>> {
  const query = 'SELECT audit.catalogues($1::text[]) AS answer';
  const [row] = await sql.query(query, [workspaceIds], { fetchOptions: { signal } });
  const found = Object.entries(catalogues.parse(row?.['answer']));
  return new Map(
    found.map(([id, terms]) => [
      id,
      { actions: new Set(terms.actions), targetTypes: new Set(terms.target_types) },
    ]),
  );
}
