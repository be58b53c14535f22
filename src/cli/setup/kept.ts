import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import * as z from 'zod';
import { UsageError } from '../usage-error.ts';

const DIRECTORY = '.daybook';

/** Secrets of the Worker, as `wrangler secret bulk` takes them. */
export interface WorkerSecrets {
  DATABASE_URL: string;
  DAYBOOK_KEY_SECRET: string;
  DAYBOOK_OPERATOR_KEY_HASHES: string;
}

const secrets = z.strictObject({
  DATABASE_URL: z.string().optional(),
  DAYBOOK_KEY_SECRET: z.string().optional(),
  DAYBOOK_OPERATOR_KEY_HASHES: z.string().optional(),
});

/** Keys for people and programs; the Worker holds none of them. */
export interface Keys {
  DAYBOOK_OPERATOR_KEY?: string | undefined;
  DAYBOOK_API_KEY?: string | undefined;
}

/** Where a deployment's secrets are kept. JSON for wrangler: in a .env file the environment's DATABASE_URL may count for more. */
export interface Files {
  secrets: string;
  keys: string;
}

export function filesOf(worker: string): Files {
  return { secrets: `${DIRECTORY}/${worker}.secrets.json`, keys: `${DIRECTORY}/${worker}.keys.env` };
}

/** What an earlier setup has left, or a person has written there. @throws UsageError when it cannot be read as such */
export async function readKept(files: Files): Promise<{ secrets: Partial<WorkerSecrets>; keys: Keys }> {
  const keys = existsSync(files.keys) ? parseEnv(await readFile(files.keys, 'utf8')) : {};
  if (!existsSync(files.secrets)) return { secrets: {}, keys };
  try {
    const kept: unknown = JSON.parse(await readFile(files.secrets, 'utf8'));
    // An optional member that is there is a text: JSON has no undefined.
    return { secrets: secrets.parse(kept) as Partial<WorkerSecrets>, keys };
  } catch (error) {
    throw new UsageError(
      `${files.secrets} is not a JSON object with texts for DATABASE_URL, DAYBOOK_KEY_SECRET and DAYBOOK_OPERATOR_KEY_HASHES. Mend it, or move it away.`,
      { cause: error },
    );
  }
}

export async function keepSecrets(files: Files, kept: Partial<WorkerSecrets>): Promise<void> {
  await write(files.secrets, `${JSON.stringify(kept, null, 2)}\n`);
}

/** Puts keys into the file, each where it stands there; whatever else a person has written stays as it is. */
export async function keepKeys(files: Files, keys: Keys): Promise<void> {
  const before = existsSync(files.keys) ? await readFile(files.keys, 'utf8') : '';
  const known = parseEnv(before);
  let text = before;
  for (const [name, value] of Object.entries(keys)) {
    if (value === undefined || value === known[name]) continue;
    const line = new RegExp(`^[ \\t]*(export[ \\t]+)?${name}[ \\t]*=.*$`, 'gm');
    if (!line.test(text)) text += `${/[^\n]$/.test(text) ? '\n' : ''}${name}=\n`;
    text = text.replace(line, `${name}=${value}`);
  }
  if (text !== before) await write(files.keys, text);
}

/** For this user alone, whole or not at all, and never into a repository. */
async function write(path: string, text: string): Promise<void> {
  await mkdir(DIRECTORY, { recursive: true, mode: 0o700 });
  await writeFile(`${DIRECTORY}/.gitignore`, '*\n');
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  // One left behind by an interrupt keeps the mode it had.
  await chmod(`${path}.new`, 0o600);
  await rename(`${path}.new`, path);
}
