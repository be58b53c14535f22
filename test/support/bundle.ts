import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Makes the bundle that `wrangler deploy` would upload. @returns its path */
export function bundle(entry: string, directory: string): string {
  const outdir = join(directory, entry.replaceAll(/\W/g, '-'));
  const run = spawnSync('wrangler', ['deploy', entry, '--dry-run', '--outdir', outdir], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`wrangler could not bundle ${entry}: ${run.stderr}`);
  return join(outdir, entry.replace(/^.*\//, '').replace('.ts', '.js'));
}
