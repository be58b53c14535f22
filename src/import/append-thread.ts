import { parentPort, workerData } from 'node:worker_threads';
import { splitRows } from '../db/append.ts';
import { connect, type DatabaseAddress } from '../db/client.ts';
import { appendBy } from './append-rows.ts';

/** What the thread is asked. */
export interface Call {
  id: number;
  /** by `joinRows`: one text crosses at a fraction of what a thousand cost */
  text: string;
}

// The thread that `appendInThread` starts.
const append = appendBy(connect(workerData as DatabaseAddress));
parentPort?.on('message', ({ id, text }: Call) => {
  void append(splitRows(text)).then((outcome) => parentPort?.postMessage({ id, outcome }));
});
