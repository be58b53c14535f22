import { open, readFile, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { writing } from './file-fault.ts';
import { ImportError } from './import-error.ts';
import { report } from './report.ts';

const state = z.strictObject({
  version: z.literal(1),
  /** of the source, the mapping, the workspace and the database */
  fingerprint: z.string(),
  /** of the last row that is done with */
  cursor: z.array(z.string()),
  /** of its content */
  mark: z.string(),
  /** whether rows without ids were counted */
  without_ids: z.boolean(),
  report,
  /** bytes of the rejects file */
  rejects: z.number(),
});

/** How far an import came. */
export type State = z.infer<typeof state>;

/** @throws ImportError when the file is none of ours */
export async function readState(path: string): Promise<State | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    return writing(path, Promise.reject(error));
  }
  try {
    return state.parse(JSON.parse(text));
  } catch (error) {
    throw new ImportError(`${path} is not the state of an import. Delete it to begin anew.`, {
      cause: error,
    });
  }
}

/** Writes the state in one step: whoever reads the file finds this one or the one before. */
export async function writeState(path: string, state: State): Promise<void> {
  await writing(path, replace(path, state));
}

async function replace(path: string, state: State): Promise<void> {
  const next = `${path}.next`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(state));
  } finally {
    await file.close();
  }
  await rename(next, path);
}

export async function dropState(path: string): Promise<void> {
  await writing(path, rm(path, { force: true }));
  await rm(`${path}.next`, { force: true });
}
