import * as z from 'zod';
import { termRows, type OwnTerms } from '../catalogue/terms.ts';
import type { WorkspaceChanges } from '../catalogue/workspaces.ts';
import { asOwner } from './environment.ts';
import { UsageError } from './usage-error.ts';

interface Counts {
  added: number;
  removed: number;
}

/** As the owner, in one transaction. @throws UsageError */
export async function pushToDatabase(
  args: { dev?: boolean | undefined },
  workspaceId: string,
  changes: WorkspaceChanges,
  terms: OwnTerms,
): Promise<Counts> {
  return asOwner(args, async (sql) => {
    const answers = await sql.transaction([
      sql.query('SELECT audit.put_workspace($1, $2::jsonb) AS answer', [
        workspaceId,
        JSON.stringify(changes),
      ]),
      sql.query('SELECT audit.put_terms($1, $2::jsonb, true) AS answer', [
        workspaceId,
        JSON.stringify(termRows(terms)),
      ]),
    ]);
    return z.object({ added: z.number(), removed: z.number() }).parse(answers[1]?.[0]?.['answer']);
  });
}

/**
 * Over HTTP, the terms first: a workspace that becomes strict has them by then.
 * @throws UsageError
 */
export async function pushToDeployment(
  url: string,
  workspaceId: string,
  changes: WorkspaceChanges,
  terms: OwnTerms,
): Promise<Counts> {
  const { DAYBOOK_API_KEY: key } = process.env;
  if (key === undefined || key === '')
    throw new UsageError('Set DAYBOOK_API_KEY: a key with the scope catalogue:manage.');
  if (!URL.canParse(url))
    throw new UsageError('--url takes the URL of a deployment, such as https://daybook.example.com.');
  const id = encodeURIComponent(workspaceId);
  const counts = await send(new URL(`/v1/actions?workspace_id=${id}`, url), 'PUT', key, terms);
  await send(new URL(`/v1/workspaces/${id}`, url), 'PATCH', key, changes);
  return z.object({ added: z.number(), removed: z.number() }).parse(counts);
}

async function send(url: URL, method: string, key: string, body: unknown): Promise<unknown> {
  const request = {
    method,
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  };
  const response = await fetch(url, request).catch((error: unknown) => {
    throw new UsageError(`${url.origin} cannot be reached.`, { cause: error });
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  const problem = z.object({ detail: z.string() }).safeParse(readJson(text));
  throw new UsageError(
    `${url.origin} answers ${response.status}: ${problem.data?.detail ?? 'no more than that'}`,
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What stands before the deployment may answer in HTML.
    return undefined;
  }
}
