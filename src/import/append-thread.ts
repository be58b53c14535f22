import { parentPort, workerData } from 'node:worker_threads';
import { connect, type DatabaseAddress } from '../db/client.ts';
import { appendBy } from './append-rows.ts';

/** What the thread is asked. */
export interface Call {
  id: number;
  rows: readonly string[];
}

// The thread that `appendInThread` starts.
const append = appendBy(connect(workerData as DatabaseAddress));
parentPort?.on('message', ({ id, rows }: Call) => {
  void append(rows).then((outcome) => parentPort?.postMessage({ id, outcome }));
});
