import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A process that answers each message with one; it ends when it is disconnected. */
export class Child<Order extends object, Report> {
  readonly #process: ChildProcess;
  #last: Promise<unknown> = Promise.resolve();

  constructor(module: URL, argv: readonly string[] = []) {
    this.#process = fork(module, argv);
  }

  /** The message that the process sends when it is ready. */
  async ready(): Promise<Report> {
    return this.#exchange(() => {});
  }

  /** Orders are carried out one after another. @throws Error when the process has ended */
  ask(order: Order): Promise<Report> {
    const answer = this.#last.then(() => this.#exchange(() => this.#process.send(order)));
    this.#last = answer.catch(() => {});
    return answer;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
  }

  async #exchange(send: () => void): Promise<Report> {
    const listening = new AbortController();
    const { signal } = listening;
    try {
      const answered = once(this.#process, 'message', { signal });
      const ended = once(this.#process, 'exit', { signal }).then(() => {
        throw new Error('a process of the stage ended by itself');
      });
      send();
      // The other side of our own message: see the process's module.
      const [report] = (await Promise.race([answered, ended])) as [Report];
      return report;
    } finally {
      listening.abort();
    }
  }
}
