import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { DataDirectoryLocked } from './data-directory-lock.ts';
import { ComputeUnreachable } from './engine-errors.ts';
import { type PgliteEngine, startPglite } from './pglite-engine.ts';

const slow = 30_000;

async function value(engine: PgliteEngine, query: string): Promise<string | null | undefined> {
  const [result] = await engine.run(engine.superuser, { statements: [{ query, params: [] }] });
  return result?.rows[0]?.[0];
}

describe('PGlite on a data directory', () => {
  let parent: string;
  let dataDir: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'pglite-'));
    dataDir = join(parent, 'data');
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  async function holder(): Promise<number> {
    return Number.parseInt(await readFile(`${dataDir}.lock`, 'utf8'), 10);
  }

  test(
    'keeps its data, comes back after its process died, and is nobody else’s meanwhile',
    { timeout: slow },
    async () => {
      const first = await startPglite({ dataDir });
      await value(first, 'create table kept as select 1 as a');
      await expect(startPglite({ dataDir })).rejects.toBeInstanceOf(DataDirectoryLocked);

      process.kill(await holder(), 'SIGKILL');
      await expect(value(first, 'select 1')).rejects.toBeInstanceOf(ComputeUnreachable);
      expect(await value(first, 'select a from kept')).toBe('1');
      await first.close();
      await expect(value(first, 'select 1')).rejects.toBeInstanceOf(ComputeUnreachable);
      await expect(holder()).rejects.toThrow('ENOENT');

      // A lock whose process is gone, or whose number now is another's, counts for nothing.
      await writeFile(`${dataDir}.lock`, `${process.pid} 1`);
      const second = await startPglite({ dataDir });
      expect(await value(second, 'select a from kept')).toBe('1');
      await second.close();
    },
  );

  test('ends with the process that started it, even if that is killed', { timeout: slow }, async () => {
    cpSync(inject('template').directory, dataDir, { recursive: true });
    const script = join(parent, 'owner.ts');
    const engineUrl = new URL('./pglite-engine.ts', import.meta.url);
    await writeFile(
      script,
      `import { startPglite } from '${engineUrl.href}';
       const engine = await startPglite({ dataDir: ${JSON.stringify(dataDir)} });
       void engine.run(engine.superuser, { statements: [{ query: 'select count(*) from generate_series(1, 1e12)', params: [] }] });
       setTimeout(() => process.send?.('running'), 200);`,
    );
    const owner = fork(script, { execArgv: [] });
    await once(owner, 'message');
    const pid = await holder();
    // Ends when the process does: it blocks on a query that would run for hours.
    const gone = once(execFile('tail', [`--pid=${pid}`, '-f', '/dev/null']), 'exit');
    owner.kill('SIGKILL');
    await gone;
    const next = await startPglite({ dataDir });
    expect(await value(next, 'select 1')).toBe('1');
    await next.close();
  });
});
