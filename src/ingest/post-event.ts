import { resolveWorkspace, type Identity } from '../auth/authenticate.ts';
import type { Flaw } from '../events/flaw.ts';
import { readJson } from '../events/json.ts';
import { SYSTEM_WORKSPACE } from '../events/own-event.ts';
import { prepareEvent, type PreparedEvent } from '../events/prepare.ts';
import { readText } from '../http/body.ts';
import type { AppContext } from '../auth/context.ts';
import { ProblemError, type Problem } from '../http/problem.ts';
import { readQuery } from '../http/query.ts';
import { readAck } from './ack.ts';
import { deliver, deliveryProblem, receipt } from './deliver.ts';
import { readIdempotencyKey } from './idempotency.ts';
import type { Ingest } from './ingest.ts';
import type { PostOnce } from './post-once.ts';

/** `POST /v1/events`: 202 accepted or queued, 201 committed, 200 duplicate; 409 for other content under a known id. */
export async function postEvent(c: AppContext, ingest: Ingest, postOnce: PostOnce): Promise<Response> {
  const asked = readQuery(c, ['ack']).ack;
  const key = readIdempotencyKey(c, asked);
  const ack = key === undefined ? readAck(asked, ingest.defaultAck) : 'committed';
  c.header('Daybook-Ack', ack);
  const reading = readJson(await readText(c, ['application/json']));
  if (!reading.ok) throw new ProblemError(malformedJson(reading));

  const prepared = prepareOne(reading.value, reading.flaws, c.get('identity'));
  if (!prepared.ok) throw new ProblemError(prepared.problem);
  if (key !== undefined) return postOnce(c, { key, body: reading.value, event: prepared.event });

  const [delivery] = await deliver(c, ingest, [prepared.event], ack);
  if (delivery === undefined) throw new Error('one event has one outcome');
  const answer = receipt(prepared.event, delivery);
  if (answer === undefined) throw new ProblemError(deliveryProblem(prepared.event, delivery));
  return c.json(answer, answer.result === 'duplicate' ? 200 : answer.result === 'committed' ? 201 : 202);
}

export type PreparedOne = { ok: true; event: PreparedEvent } | { ok: false; problem: Problem };

/**
 * Resolves the workspace of an event and prepares it.
 * @param flaws what reading its JSON found, with pointers into the event
 */
export function prepareOne(raw: unknown, flaws: readonly Flaw[], identity: Identity): PreparedOne {
  const asked =
    typeof raw === 'object' && raw !== null && 'workspace_id' in raw ? raw.workspace_id : undefined;
  const workspace = resolveWorkspace(identity, typeof asked === 'string' ? asked : undefined);
  const isForbidden = workspace.ok
    ? workspace.workspaceId === SYSTEM_WORKSPACE
    : workspace.reason === 'forbidden';
  if (isForbidden) {
    const detail = 'The API key does not cover the workspace_id of this event.';
    return { ok: false, problem: { code: 'workspace_forbidden', detail } };
  }
  const prepared = prepareEvent(raw, {
    workspaceId: workspace.ok ? workspace.workspaceId : '',
    keyId: identity.kind === 'key' ? identity.claims.id : null,
    now: Date.now(),
    checkWindow: true,
  });
  // Reading the JSON and measuring its value find some of the same flaws.
  const isNew = (flaw: Flaw) =>
    !flaws.some(({ pointer, code }) => pointer === flaw.pointer && code === flaw.code);
  const found = [...flaws, ...(prepared.ok ? [] : prepared.flaws.filter(isNew))];
  if (!workspace.ok && (asked === undefined || asked === null)) {
    const detail = 'The API key covers several workspaces: say which one this event belongs to.';
    found.push({ pointer: '/workspace_id', code: 'required', detail });
  }
  if (prepared.ok && found.length === 0) return prepared;
  return { ok: false, problem: invalidEvent(found) };
}

export function malformedJson(failure: { position: number; detail: string }): Problem {
  return { code: 'malformed_json', detail: `${failure.detail} (at character ${failure.position})` };
}

function invalidEvent(flaws: readonly Flaw[]): Problem {
  const tooLarge =
    flaws.length > 0 && flaws.every(({ code, pointer }) => code === 'too_large' && pointer === '');
  const count = flaws.length === 1 ? 'one place' : `${flaws.length} places`;
  const detail = `Nothing was stored: the event is wrong in ${count}.`;
  return { code: tooLarge ? 'too_large' : 'invalid_event', detail, errors: flaws.slice(0, 100) };
}
