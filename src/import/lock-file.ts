import { readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { writing } from './file-fault.ts';
import { ImportError } from './import-error.ts';

/** Held by this process. */
const held = new Set<string>();

/**
 * Takes a rejects file and its state for one import; `<rejects>.lock` holds the number of the process. That of a process
 * which is no more is taken over.
 * @returns what gives them free
 * @throws ImportError while another import has them
 */
export async function lockRejects(rejects: string): Promise<() => Promise<void>> {
  const path = resolve(`${rejects}.lock`);
  if (held.has(path)) throw inUse(rejects, path, process.pid);
  held.add(path);
  try {
    while (!(await made(path))) {
      const holder = await holderOf(path);
      if (isAlive(holder)) throw inUse(rejects, path, holder);
      await writing(path, rm(path, { force: true }));
    }
  } catch (error) {
    held.delete(path);
    throw error;
  }
  return async () => {
    // One that stays is that of a process which is no more.
    await rm(path, { force: true }).catch(() => {});
    held.delete(path);
  };
}

function inUse(rejects: string, path: string, holder: number | undefined): ImportError {
  return new ImportError(
    `Another import (process ${holder || 'unknown'}) uses ${rejects}. Wait for it, or name another file with --rejects. If no import runs, delete ${path}.`,
  );
}

async function made(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    return writing(path, Promise.reject(error));
  }
}

/** Nothing where it was given free meanwhile; 0 where it holds no number. */
async function holderOf(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number.parseInt(text, 10) || 0;
}

function isAlive(pid: number | undefined): boolean {
  // In a container a process has the number of the one before it.
  if (pid === undefined || pid === process.pid) return false;
  if (pid === 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
