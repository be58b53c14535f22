import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';

const run = promisify(execFile);
const REPOSITORY = new URL('../..', import.meta.url).pathname;

/** A project with Daybook as `npm pack` makes it, beside what the test applications need, and those applications. */
export interface Project {
  directory: string;
  tarball: string;
  close(): Promise<void>;
}

interface Manifest {
  bin: Record<string, string>;
}

/** @param dependencies that the project has of its own */
export async function makeProject(dependencies: readonly string[]): Promise<Project> {
  const directory = await mkdtemp(join(tmpdir(), 'daybook-package-'));
  const tarball = await packedOnce();
  const modules = join(directory, 'node_modules');
  await mkdir(join(modules, 'daybook'), { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', join(modules, 'daybook'), '--strip-components=1']);
  const manifest = await readFile(join(modules, 'daybook/package.json'), 'utf8');
  const { bin } = JSON.parse(manifest) as Manifest;
  for (const dependency of dependencies) {
    await mkdir(dirname(join(modules, dependency)), { recursive: true });
    await install(join(REPOSITORY, 'node_modules', dependency), join(modules, dependency));
  }
  await mkdir(join(modules, '.bin'));
  for (const [name, path] of Object.entries(bin)) {
    await chmod(join(modules, 'daybook', path), 0o755);
    await symlink(join('../daybook', path), join(modules, '.bin', name));
  }
  await cp(join(REPOSITORY, 'test/package/apps'), directory, { recursive: true });
  return { directory, tarball, close: () => rm(directory, { recursive: true }) };
}

/** Two that build at a time would take each other's files away: the first test file that asks packs for all of the run. */
async function packedOnce(): Promise<string> {
  const directory = join(tmpdir(), 'packed');
  const tarball = join(directory, 'daybook.tgz');
  try {
    await mkdir(directory);
  } catch {
    await vi.waitUntil(() => existsSync(tarball), { timeout: 50_000, interval: 50 });
    return tarball;
  }
  const made = join(directory, 'made');
  await mkdir(made);
  await run('npm', ['pack', '--pack-destination', made], { cwd: REPOSITORY });
  const [name] = await readdir(made);
  if (name === undefined) throw new Error('npm pack made no tarball');
  await rename(join(made, name), tarball);
  return tarball;
}

/** A copy, as npm would make it; what needs others finds them only beside where it stands. */
async function install(from: string, to: string): Promise<void> {
  const { dependencies = {} } = JSON.parse(await readFile(join(from, 'package.json'), 'utf8'));
  if (Object.keys(dependencies).length > 0) await symlink(from, to);
  else await cp(from, to, { recursive: true });
}
