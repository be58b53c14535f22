import * as z from 'zod';
import {
  putTermsAnswer,
  removedBy,
  storedCatalogue,
  summaryOf,
  termRows,
  type OwnTerms,
} from '../catalogue/terms.ts';
import { stateOf, type WorkspaceChanges } from '../catalogue/workspaces.ts';
import { joinRows } from '../db/append.ts';
import type { Sql } from '../db/client.ts';
import { ownEvent } from '../events/own-event.ts';
import { asOwner } from './environment.ts';
import { UsageError } from './usage-error.ts';

interface Counts {
  added: number;
  removed: number;
}

/** As the owner, in one transaction with the audit events that tell of it. @throws UsageError */
export async function pushToDatabase(
  args: { dev?: boolean | undefined },
  workspaceId: string,
  changes: WorkspaceChanges,
  terms: OwnTerms,
): Promise<Counts> {
  return asOwner(args, async (sql) => {
    const events = await eventsOf(sql, workspaceId, changes, terms);
    const answers = await sql.transaction([
      sql.query('SELECT audit.put_workspace($1, $2::jsonb) AS answer', [
        workspaceId,
        JSON.stringify(changes),
      ]),
      sql.query('SELECT audit.put_terms($1, $2::jsonb, true) AS answer', [
        workspaceId,
        JSON.stringify(termRows(terms)),
      ]),
      sql.query('SELECT audit.append_rows(audit.rows_of($1))', [joinRows(events.map(({ row }) => row))]),
    ]);
    return putTermsAnswer.parse(answers[1]?.[0]?.['answer']);
  });
}

/** What there was is read first: the transaction is sent as a whole. */
async function eventsOf(sql: Sql, workspaceId: string, changes: WorkspaceChanges, terms: OwnTerms) {
  const [row] = await sql.query('SELECT audit.catalogue($1) AS answer', [workspaceId]);
  const stored = storedCatalogue.parse(row?.['answer']);
  const kept = new Set(termRows(terms).map(({ kind, name }) => `${kind} ${name}`));
  const removed = (stored?.terms ?? []).filter(
    ({ kind, name, vocabulary }) => vocabulary === null && !kept.has(`${kind} ${name}`),
  );
  const common = {
    actor: { type: 'service', id: 'owner' },
    target: { type: 'workspace', id: workspaceId },
    metadata: { command: 'catalogue push' },
  } as const;
  return [
    ownEvent(workspaceId, {
      ...common,
      action: 'workspace.changed',
      old_value: stateOf(stored?.workspace ?? null),
      new_value: changes,
    }),
    ownEvent(workspaceId, {
      ...common,
      action: 'catalogue.changed',
      old_value: removedBy(removed),
      new_value: summaryOf(terms, true),
    }),
  ];
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
): Promise<Counts> {
  const { DAYBOOK_API_KEY: key } = process.env;
  if (key === undefined || key === '')
    throw new UsageError('Set DAYBOOK_API_KEY: a key with the scope catalogue:manage.');
  if (!URL.canParse(url))
    throw new UsageError('--url takes the URL of a deployment, such as https://daybook.example.com.');
  const id = encodeURIComponent(workspaceId);
  const actions = new URL(`/v1/actions?workspace_id=${id}`, url);
  const { added } = countsOf(await send(actions, 'POST', key, terms));
  await send(new URL(`/v1/workspaces/${id}`, url), 'PATCH', key, changes);
  const { removed } = countsOf(await send(actions, 'PUT', key, terms));
  return { added, removed };
}

function countsOf(answer: unknown): Counts {
  return z.object({ added: z.number(), removed: z.number() }).parse(answer);
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
