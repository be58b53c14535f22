import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Another process that is alive serves the data directory. */
export class DataDirectoryLocked extends Error {
  override readonly name = 'DataDirectoryLocked';
}

/**
 * Takes the data directory for this process: two at once would corrupt it. The lock is a file beside the
 * directory, since initdb wants the directory itself empty. A lock whose process is gone does not count.
 *
 * @returns what gives the lock back
 * @throws DataDirectoryLocked
 */
export function lockDataDirectory(dataDir: string): () => void {
  const path = `${resolve(dataDir)}.lock`;
  mkdirSync(dirname(path), { recursive: true });
  const mine = owner(process.pid);
  while (!tryCreate(path, mine)) {
    const holder = readHolder(path);
    const pid = Number.parseInt(holder, 10);
    if (isAlive(pid) && holder === owner(pid)) {
      throw new DataDirectoryLocked(
        `data directory "${dataDir}" is in use by process ${pid}; if that is wrong, delete ${path}`,
      );
    }
    rmSync(path, { force: true });
  }
  return () => {
    if (readHolder(path) === mine) rmSync(path, { force: true });
  };
}

function tryCreate(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** A process id alone may be taken by a stranger after a restart, so on Linux the start time goes with it. */
function owner(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold spaces; starttime is the 22nd.
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${pid} ${startTime}`;
  } catch {
    return `${pid}`;
  }
}
