import { globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Part of `npm run build`: the licences of the packages that dist/ holds, into dist/THIRD-PARTY-NOTICES. */

const MODULES = new URL('../../node_modules/', import.meta.url);
const DIST = new URL('../../dist/', import.meta.url);

/** The bundler names each file that it takes in. */
const BUNDLED = /^\/\/ .*\bnode_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm;

/** Of the packages that declare it and bring no copy along. */
const APACHE = new URL('canonicalize/LICENSE', MODULES);

function bundledPackages(): string[] {
  const files = globSync('{worker,cli}/*.js', { cwd: DIST.pathname });
  const names = files.flatMap((file) =>
    Array.from(readFileSync(new URL(file, DIST), 'utf8').matchAll(BUNDLED), ([, name = '']) => name),
  );
  return [...new Set(names)].toSorted();
}

function noticeOf(name: string): string {
  const directory = new URL(`${name}/`, MODULES);
  const { version, license } = JSON.parse(readFileSync(new URL('package.json', directory), 'utf8')) as {
    version: string;
    license: string;
  };
  const text =
    fileOf(directory, /^licen[cs]e/i) ??
    (license === 'Apache-2.0' ? readFileSync(APACHE, 'utf8') : undefined);
  // Some have it at the end of their README.
  const known = text ?? /^#+ *licen[cs]e\n.*/ims.exec(fileOf(directory, /^readme/i) ?? '')?.[0];
  if (known === undefined) throw new Error(`${name} brings no text of its licence`);
  return `${name} ${version} (${license})\n\n${known.trim()}\n`;
}

function fileOf(directory: URL, name: RegExp): string | undefined {
  const file = readdirSync(directory).find((file) => name.test(file));
  return file === undefined ? undefined : readFileSync(new URL(file, directory), 'utf8');
}

const notices = bundledPackages().map(noticeOf);
if (notices.length === 0) throw new Error('dist/ names no package: has the bundler changed its comments?');
const line = `\n${'-'.repeat(80)}\n\n`;
writeFileSync(
  new URL('THIRD-PARTY-NOTICES', DIST),
  ['The files in this directory hold code of these packages.\n', ...notices].join(line),
);
