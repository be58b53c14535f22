import { Child } from './child.ts';
import type { WorkerOrder, WorkerReport } from './worker-process.ts';

/**
 * The Worker in workerd, in a process of its own so that its log keeps no client waiting. It is killed and started again on
 * the same port; each time it lives is numbered, and a request belongs to the life that it was sent to.
 */
export class Worker {
  /** the first is 1; 0 before */
  life = 0;
  url = '';
  readonly #child: Child<WorkerOrder, WorkerReport>;
  readonly #deployment: { scriptPath: string; bindings: Record<string, string> };
  readonly #underWay = new Set<Promise<unknown>>();
  #alive = false;

  constructor(deployment: { scriptPath: string; bindings: Record<string, string> }) {
    this.#deployment = deployment;
    this.#child = new Child(new URL('worker-process.ts', import.meta.url));
  }

  async start(): Promise<void> {
    const port = Number(this.url === '' ? 0 : new URL(this.url).port);
    const { url } = await this.#child.ask({ do: 'start', ...this.#deployment, port });
    if (url === undefined) throw new Error('the Worker did not start');
    this.url = url;
    this.life += 1;
    this.#alive = true;
  }

  /** Kills it, and returns when every request that it had is answered or broken. */
  async kill(): Promise<void> {
    this.#alive = false;
    await this.#child.ask({ do: 'kill' });
    await Promise.allSettled(this.#underWay);
  }

  /**
   * Sends a request to the life there is. Between two lives nobody listens: nothing is sent then, so that no answer can be
   * taken for that of another life.
   * @throws what `send` throws; Error when nobody listens
   */
  async ask<T>(send: (url: string) => Promise<T>): Promise<{ answer: T; life: number }> {
    if (!this.#alive) throw Object.assign(new Error('between two lives'), { code: 'ECONNREFUSED' });
    const { life } = this;
    const sending = send(this.url);
    this.#underWay.add(sending);
    try {
      return { answer: await sending, life };
    } finally {
      this.#underWay.delete(sending);
    }
  }

  /** How often what was logged so far, over all lives. */
  async lines(): Promise<Record<string, number>> {
    return (await this.#child.ask({ do: 'report' })).lines;
  }

  close(): Promise<void> {
    return this.#child.close();
  }
}
