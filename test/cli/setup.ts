import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { Cluster, ClusterDatabase } from '../support/cluster.ts';
import { daybook, type Ran } from './daybook.ts';

export const SECRETS = '.daybook/daybook.secrets.json';
export const KEYS = '.daybook/daybook.keys.env';

export function newDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'daybook-setup-'));
}

/** A directory with such a file of secrets, and of keys. */
export async function directoryWith(secrets: unknown, file = SECRETS, keys = ''): Promise<string> {
  const cwd = await newDirectory();
  await mkdir(join(cwd, '.daybook'));
  await writeFile(join(cwd, file), JSON.stringify(secrets));
  if (keys !== '') await writeFile(join(cwd, KEYS), keys);
  return cwd;
}

/** Runs setup for a database in a directory. */
export function setupIn(
  { endpoint }: Cluster,
  { ownerUrl }: ClusterDatabase,
  cwd: string,
  ...args: string[]
): Promise<Ran> {
  return daybook(['setup', ...args], {
    env: { DATABASE_URL: ownerUrl, DAYBOOK_LOCAL_DATABASE: endpoint },
    cwd,
  });
}

/** What setup has left in a directory. */
export async function keptIn(cwd: string): Promise<Record<string, string>> {
  const secrets = JSON.parse(await readFile(join(cwd, SECRETS), 'utf8')) as Record<string, string>;
  return { ...secrets, ...parseEnv(await readFile(join(cwd, KEYS), 'utf8')) } as Record<string, string>;
}
