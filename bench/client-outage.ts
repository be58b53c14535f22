import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createAudit } from '../src/client/index.ts';
import { typicalEvent } from './events.ts';

/**
 * `npm run bench:client-outage`: what the client holds while nobody answers at the address, by the heap after each buffer's
 * worth of events that was logged, and what becomes of them when somebody does. Of those that it kept, none may be lost, though
 * the connections of the first batches break after they are stored, and none may come under two ids. Method and results:
 * docs/performance.md.
 */

const BUFFER = 10_000;
const TIMES = 20;
/** Answers that are lost. */
const LOST = 5;
const MIB = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / MIB;
}

/** Stores events, as Daybook does: each id once. */
function daybook(stored: Map<string, unknown>): Server {
  let requests = 0;
  return createServer(async (request, response) => {
    const { events } = (await json(request)) as { events: { id: string; metadata: { n: number } }[] };
    for (const { id, metadata } of events) stored.set(id, metadata.n);
    requests += 1;
    if (requests <= LOST) {
      request.socket.destroy();
      return;
    }
    const results = events.map(({ id }, index) => ({ index, result: 'committed', receipt: { id } }));
    response.end(JSON.stringify({ results }));
  });
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const stored = new Map<string, unknown>();
const gone = daybook(stored);
const port = await listen(gone, 0);
gone.close();

const silent = { warn() {}, error() {} };
const audit = createAudit({ url: `http://127.0.0.1:${port}`, apiKey: 'dbk_bench', logger: silent });
console.log(`buffer of ${BUFFER} events; heap before: ${heap().toFixed(1)} MiB`);
const heaps: number[] = [];
for (let n = 0; n < BUFFER * TIMES; n += 1) {
  audit.log({ ...typicalEvent(n), id: undefined, metadata: { n } });
  // Other turns have theirs, and batches are tried meanwhile.
  if (n % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  if ((n + 1) % BUFFER === 0) heaps.push(heap());
}
const full = heaps[0] ?? Number.NaN;
const most = Math.max(...heaps);
console.log(
  `heap with a full buffer: ${full.toFixed(1)} MiB; most of ${TIMES} times as much: ${most.toFixed(1)} MiB`,
);

const { buffered, dropped } = audit.counts;
const server = daybook(stored);
await listen(server, port);
const startedAt = performance.now();
const areAllSettled = await audit.close({ timeout: 60_000 });
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
server.closeAllConnections();
server.close();

const distinct = new Set(stored.values()).size;
const lost = buffered - distinct;
const doubled = stored.size - distinct;
console.log(
  `kept ${buffered}, dropped ${dropped}; stored ${audit.counts.stored} in ${seconds} s; lost ${lost}, doubled ${doubled}`,
);
const isMet =
  areAllSettled && lost === 0 && doubled === 0 && most < full + 2 && buffered + dropped === BUFFER * TIMES;
console.log(`bounded, none lost, none doubled: ${isMet ? 'met' : 'MISSED'}`);
if (!isMet) process.exitCode = 1;
