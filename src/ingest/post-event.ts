import { readJson } from '../events/json.ts';
import { readText } from '../http/body.ts';
import type { AppContext } from '../auth/context.ts';
import { malformedJson, ProblemError } from '../http/problem.ts';
import { readQuery } from '../http/query.ts';
import { readAck } from './ack.ts';
import { deliver, deliveryProblem, receipt } from './deliver.ts';
import { readIdempotencyKey } from './idempotency.ts';
import { holdToCatalogue } from './hold-to-catalogue.ts';
import type { Ingest } from './ingest.ts';
import type { PostOnce } from './post-once.ts';
import { prepareOne } from './prepare-one.ts';

/** `POST /v1/events`: 202 accepted or queued, 201 committed, 200 duplicate; 409 for other content under a known id. */
export async function postEvent(c: AppContext, ingest: Ingest, postOnce: PostOnce): Promise<Response> {
  const asked = readQuery(c, ['ack']).ack;
  const key = readIdempotencyKey(c, asked);
  const ack = key === undefined ? readAck(asked, ingest.defaultAck) : 'committed';
  c.header('Daybook-Ack', ack);
  const reading = readJson(await readText(c, ['application/json']));
  if (!reading.ok) throw new ProblemError(malformedJson(reading));

  const one = prepareOne(reading.value, reading.flaws, c.get('identity'), ingest.catalogue);
  const [prepared = one] = await holdToCatalogue(c, ingest.catalogues, [one]);
  if (!prepared.ok) throw new ProblemError(prepared.problem);
  if (key !== undefined) return postOnce(c, { key, body: reading.value, event: prepared.event });

  const [delivery] = await deliver(c, ingest, [prepared.event], ack);
  if (delivery === undefined) throw new Error('one event has one outcome');
  const answer = receipt(prepared.event, delivery);
  if (answer === undefined) throw new ProblemError(deliveryProblem(prepared.event, delivery));
  return c.json(answer, answer.result === 'duplicate' ? 200 : answer.result === 'committed' ? 201 : 202);
}
