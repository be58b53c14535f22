import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CannotListen } from './endpoint.ts';

export interface DevWorker {
  url: string;
  /** settles once it listens; rejects when wrangler ends before */
  ready: Promise<void>;
  /** settles with the exit code when wrangler ends */
  ended: Promise<number>;
  /** Ends wrangler and everything it started, at any time. */
  close(): Promise<void>;
}

/** How long wrangler may take to end in order, in milliseconds. */
const CLOSE_TIMEOUT = 5000;

/** Starts `wrangler dev` on the real wrangler.toml. Returns at once, so that an interrupt can end what is starting. */
export function startWorker({ port, envFile }: { port: number; envFile: string }): DevWorker {
  const wrangler = fileURLToPath(new URL('../bin/wrangler.js', import.meta.resolve('wrangler')));
  const flags = ['--ip', '127.0.0.1', '--port', String(port), '--env-file', envFile];
  const child = spawn(
    process.execPath,
    [wrangler, 'dev', ...flags, '--persist-to', '.daybook/wrangler', '--show-interactive-dev-session=false'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      // A group of its own: Ctrl-C reaches us alone, and we end it in order.
      detached: true,
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
    },
  );
  const ended = once(child, 'exit').then(([code]) => Number(code ?? 1));
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('Ready on')) resolve();
      else console.log(line);
    });
    ended.then(
      (code) => reject(new Error(`wrangler dev ended with code ${code} before it was ready`)),
      reject,
    );
  });
  const close = async (): Promise<void> => {
    if (child.pid === undefined) return;
    const { pid } = child;
    signalGroup(pid, 'SIGTERM');
    const timeout = setTimeout(() => signalGroup(pid, 'SIGKILL'), CLOSE_TIMEOUT);
    await ended;
    clearTimeout(timeout);
    // When it is interrupted while it starts, wrangler leaves workerd behind.
    signalGroup(pid, 'SIGKILL');
  };
  return { url: `http://127.0.0.1:${port}`, ready, ended, close };
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    // Nobody is left in it.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/**
 * wrangler would take the next port in silence, and the printed address would be another program's.
 * @throws CannotListen
 */
export async function checkPortFree(port: number): Promise<void> {
  const probe = createServer();
  const listening = once(probe, 'listening');
  probe.listen(port, '127.0.0.1');
  try {
    await listening;
  } catch (error) {
    throw new CannotListen('127.0.0.1', port, error as NodeJS.ErrnoException);
  }
  probe.close();
  await once(probe, 'close');
}
