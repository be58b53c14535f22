import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { CannotListen } from './endpoint.ts';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

export interface RunningWorker {
  url: string;
  /** settles with the exit code when wrangler ends by itself */
  ended: Promise<number>;
  close(): Promise<void>;
}

/**
 * Starts `wrangler dev` on the real wrangler.toml and waits until it listens.
 * @throws CannotListen when the port is taken; Error when wrangler ends before it is ready
 */
export async function startWorker(options: { port: number; envFile: string }): Promise<RunningWorker> {
  await checkFree(options.port);
  const wrangler = fileURLToPath(new URL('../bin/wrangler.js', import.meta.resolve('wrangler')));
  const flags = ['--ip', '127.0.0.1', '--port', String(options.port), '--env-file', options.envFile];
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
  const url = `http://127.0.0.1:${options.port}`;
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (line.includes('Ready on')) resolve();
      else console.log(line);
    });
  });
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.pid === undefined) return;
    process.kill(-child.pid, 'SIGTERM');
    await ended;
  };
  const early = ended.then((code) =>
    Promise.reject(new Error(`wrangler dev ended with code ${code} before it was ready`)),
  );
  await Promise.race([ready, early]);
  early.catch(() => undefined);
  return { url, ended, close };
}

/** wrangler would take the next port in silence, and the printed address would be another program's. */
async function checkFree(port: number): Promise<void> {
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
