import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { NotStoredAlone } from '../db/append.ts';
import type { Outcome } from '../db/call.ts';
import type { DatabaseAddress } from '../db/client.ts';
import type { AppendRows } from './append-rows.ts';
import type { Call } from './append-thread.ts';

interface Answer {
  id: Call['id'];
  outcome: Outcome<NotStoredAlone[]>;
}

/**
 * Sends rows from a thread of its own: writing and sending calls takes a fifth of an import's time, in which the next rows
 * are prepared.
 */
export function appendInThread(address: DatabaseAddress): { append: AppendRows; close(): Promise<void> } {
  // Beside this module: TypeScript in a checkout, JavaScript in the package.
  const module = new URL(`append-thread${extname(import.meta.url)}`, import.meta.url);
  const thread = new Worker(module, { workerData: address });
  const waiting = new Map<Call['id'], PromiseWithResolvers<Answer['outcome']>>();
  let calls = 0;
  let broken: unknown;
  thread.on('message', ({ id, outcome }: Answer) => {
    waiting.get(id)?.resolve(outcome);
    waiting.delete(id);
  });
  thread.on('error', (error) => {
    broken = error;
    for (const { reject } of waiting.values()) reject(error);
  });
  return {
    append: (rows) => {
      if (broken !== undefined) return Promise.reject(broken);
      calls += 1;
      const answer = Promise.withResolvers<Answer['outcome']>();
      waiting.set(calls, answer);
      thread.postMessage({ id: calls, rows } satisfies Call);
      return answer.promise;
    },
    close: async () => {
      await thread.terminate();
    },
  };
}
