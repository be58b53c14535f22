import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { startPglite, type PgliteEngine } from '../../src/local/pglite-engine.ts';

/** PGlite with a migrated database of its own. */
export async function startEmbedded(): Promise<{
  engine: PgliteEngine;
  ownerUrl: string;
  remove(): Promise<void>;
}> {
  const { directory, ownerUrl } = inject('template');
  const dataDir = await mkdtemp(join(tmpdir(), 'daybook-embedded-'));
  // The asynchronous copy of a thousand files takes ten times as long.
  cpSync(directory, dataDir, { recursive: true });
  const engine = await startPglite({ dataDir });
  return {
    engine,
    ownerUrl,
    remove: async () => {
      await engine.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
