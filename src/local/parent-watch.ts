import { Worker } from 'node:worker_threads';

/** How long a process whose parent is gone may still work on its last query, in milliseconds. */
const graceMs = 2000;
const pollMs = 250;

/** An orphan gets a new parent; on Windows it keeps the old one's id, which then belongs to nobody. */
const script = `
  const parent = process.ppid;
  const orphaned = () => {
    if (process.ppid !== parent) return true;
    try { return !process.kill(parent, 0); } catch (error) { return error.code === 'ESRCH'; }
  };
  const poll = setInterval(() => {
    if (!orphaned()) return;
    clearInterval(poll);
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${graceMs});
  }, ${pollMs});
`;

/**
 * Kills this process soon after its parent has died. It takes a thread: a query that runs in WebAssembly
 * blocks the event loop for as long as it likes.
 */
export function dieWithParent(): void {
  new Worker(script, { eval: true }).unref();
}
