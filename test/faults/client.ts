import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Fate, fatesOf, type HttpAnswer } from './answer.ts';
import { bodyOf, type TestEvent } from './event.ts';
import type { Ack, Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import type { Worker } from './worker.ts';

/** ms; the Worker answers within 10 s whatever the database does */
const PATIENCE = 20_000;
const MAX_BACKOFF = 2000;

/** Sends events until each is acknowledged, with the same ids, as a careful client does. */
export class Client {
  readonly #worker: Worker;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #key: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor({ worker, key }: { worker: Worker; key: string }, ledger: Ledger, random: Random) {
    this.#worker = worker;
    this.#key = key;
    this.#ledger = ledger;
    this.#random = random;
  }

  /** One event goes to `/v1/events`, several go to `/v1/events/batch`. @param giveUp ends the retries */
  async send(events: readonly TestEvent[], ack: Ack, giveUp: AbortSignal): Promise<void> {
    let open = events;
    for (let attempt = 0; open.length > 0 && !giveUp.aborted; attempt += 1) {
      const { fates, life, retryAfter } = await this.#attempt(open, ack, events.length > 1);
      open = open.filter((event, index) => !this.#isSettled(event, fates[index], life));
      if (open.length === 0) return;
      const backoff = this.#random.between(0.5, 1) * Math.min(MAX_BACKOFF, 100 * 2 ** attempt);
      await sleep(Math.max(backoff, (retryAfter ?? 0) * 1000), undefined, { signal: giveUp }).catch(() => {});
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #isSettled({ id }: TestEvent, fate: Fate | undefined, life: number): boolean {
    if (fate?.kind === 'acknowledged') this.#ledger.acknowledge(id, fate.ack, life);
    if (fate?.kind === 'unexpected') this.#ledger.count('unexpected', fate.what);
    if (fate?.kind === 'again') this.#ledger.count('retries', fate.reason);
    return fate?.kind !== 'again';
  }

  async #attempt(events: readonly TestEvent[], ack: Ack, isBatch: boolean) {
    const bodies = events.map(bodyOf);
    const body = JSON.stringify(isBatch ? { events: bodies } : bodies[0]);
    const path = `/v1/events${isBatch ? '/batch' : ''}?ack=${ack}`;
    this.#ledger.requests += 1;
    try {
      const { answer, life } = await this.#worker.ask((url) => this.#post(new URL(path, url), body));
      return { fates: fatesOf(answer, ack, events.length, isBatch), life, retryAfter: answer.retryAfter };
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      const fates = events.map((): Fate => ({ kind: 'again', reason }));
      return { fates, life: 0, retryAfter: undefined };
    }
  }

  #post(url: URL, body: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const headers = {
        Authorization: `Bearer ${this.#key}`,
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
      };
      const signal = AbortSignal.timeout(PATIENCE);
      const sending = request(url, { method: 'POST', agent: this.#agent, headers, signal }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const retryAfter = answer.headers['retry-after'];
          resolve({
            status: answer.statusCode ?? 0,
            body: Buffer.concat(chunks).toString(),
            retryAfter: retryAfter === undefined ? undefined : Number(retryAfter),
          });
        });
      });
      sending.on('error', reject).end(body);
    });
  }
}
