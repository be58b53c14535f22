import * as z from 'zod';
import {
  catalogueView,
  catalogueViewOf,
  removedBy,
  storedCatalogue,
  summaryOf,
  termRows,
  type OwnTerms,
} from '../catalogue/terms.ts';
import { stateOf, type WorkspaceChanges } from '../catalogue/workspaces.ts';
import { joinRows } from '../db/append.ts';
import { ownEvent } from '../events/own-event.ts';
import type { PreparedEvent } from '../events/prepare.ts';
import { differenceOf, type Difference } from './catalogue-difference.ts';
import { asOwner } from './environment.ts';
import { UsageError } from './usage-error.ts';

/** As the owner, in one transaction with the audit events that tell of it; nothing where nothing changes. @throws UsageError */
export async function pushToDatabase(
  args: { dev?: boolean | undefined },
  workspaceId: string,
  changes: WorkspaceChanges,
  terms: OwnTerms,
): Promise<Difference> {
  return asOwner(args, async (sql) => {
    // What there was is read first: the transaction is sent as a whole.
    const [found] = await sql.query('SELECT audit.catalogue($1) AS answer', [workspaceId]);
    const stored = storedCatalogue.parse(found?.['answer']);
    const difference = differenceOf(catalogueViewOf(workspaceId, stored), changes, terms);
    const { added, removed, described, vocabularies, modeChanges } = difference;
    const common = {
      actor: { type: 'service', id: 'owner' },
      target: { type: 'workspace', id: workspaceId },
      metadata: { command: 'catalogue push' },
    } as const;
    const events: PreparedEvent[] = [];
    const calls: [text: string, parameters: unknown[]][] = [];
    if (stored === null || vocabularies !== undefined || modeChanges) {
      calls.push(['SELECT audit.put_workspace($1, $2::jsonb)', [workspaceId, JSON.stringify(changes)]]);
      const before = stateOf(stored?.workspace ?? null);
      events.push(
        ownEvent(workspaceId, {
          ...common,
          action: 'workspace.changed',
          old_value: before,
          new_value: changes,
        }),
      );
    }
    if (added.length + removed.length + described.length > 0) {
      const rows = JSON.stringify(termRows(terms));
      calls.push(['SELECT audit.put_terms($1, $2::jsonb, true)', [workspaceId, rows]]);
      events.push(
        ownEvent(workspaceId, {
          ...common,
          action: 'catalogue.changed',
          old_value: removedBy(removed),
          new_value: summaryOf(terms, true),
        }),
      );
    }
    if (calls.length > 0) {
      calls.push(['SELECT audit.append_rows(audit.rows_of($1))', [joinRows(events.map(({ row }) => row))]]);
      await sql.transaction(calls.map(([text, parameters]) => sql.query(text, parameters)));
    }
    return difference;
  });
}

/**
 * Over HTTP, so that at no time between the requests anything is refused that the workspace took before and takes after: terms
 * are added before the workspace changes, and what it has no more goes after that.
 * @throws UsageError
 */
export async function pushToDeployment(
  url: string,
  workspaceId: string,
  changes: WorkspaceChanges,
  terms: OwnTerms,
): Promise<Difference> {
  const { DAYBOOK_API_KEY: key } = process.env;
  if (key === undefined || key === '')
    throw new UsageError('Set DAYBOOK_API_KEY: a key with the scope catalogue:manage.');
  if (!URL.canParse(url))
    throw new UsageError('--url takes the URL of a deployment, such as https://daybook.example.com.');
  const id = encodeURIComponent(workspaceId);
  const actions = new URL(`/v1/actions?workspace_id=${id}`, url);
  const before = catalogueView.parse(await send(actions, 'GET', key));
  await send(actions, 'POST', key, terms);
  await send(new URL(`/v1/workspaces/${id}`, url), 'PATCH', key, changes);
  await send(actions, 'PUT', key, terms);
  return differenceOf(before, changes, terms);
}

async function send(url: URL, method: string, key: string, body?: object): Promise<unknown> {
  const request = {
    method,
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
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
