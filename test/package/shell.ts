/** How the lines of the documentation's shell samples are run where there is neither an account nor time to install anything. */

/** What a sample says, and what other check runs it as it stands. */
const ELSEWHERE: [line: RegExp, where: string][] = [
  [/^npm ci && npm run dev$/, '.ci/dev-smoke'],
  [/^npm ci && npm test$/, '.ci/run'],
  [/^npm install \.\/daybook-[\d.]+\.tgz( && npm install --save-dev wrangler)?$/, '.ci/package'],
];

/** Commands that need an account, or change what other tests use: their options are held against their help. */
const HELP_ONLY = /^npx (wrangler (login|queues create|secret bulk|secret put)|--no-install daybook setup)\b/;

export interface Place {
  /** of the deployment */
  url: string;
  /** of what is imported */
  oldDatabase: string;
  /** where the repository is */
  repository: string;
  /** scripts of its package.json */
  scripts: Record<string, string>;
}

/** A script for bash that does what the sample says, as far as that can be done here. */
export function runnable(code: string, place: Place): string {
  const lines = code
    .replaceAll(/postgres:\/\/reader(:secret)?@db\.example\.com\/app/g, place.oldDatabase)
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n');
  return ['set -euo pipefail', ...lines.map((line) => rewritten(line, place))].join('\n');
}

function rewritten(line: string, { url, repository, scripts }: Place): string {
  const command = line.replace(/\s+#.*$/, '').trim();
  if (ELSEWHERE.some(([known]) => known.test(command))) return '';
  const [called] = HELP_ONLY.exec(command) ?? [];
  if (called !== undefined) {
    const options = command.match(/--[a-z-]+/g) ?? [];
    return [`${called} --help > help.txt`, ...options.map((option) => `grep -qe '${option}' help.txt`)].join(
      '\n',
    );
  }
  if (/^npx wrangler deploy\b(?!.*--dry-run)/.test(command)) return `${command} --dry-run`;
  const script = /^npm run (\S+)(?: -- )?(.*)$/.exec(command);
  if (script !== null) {
    const [, name = '', args = ''] = script;
    const runs = scripts[name];
    if (runs === undefined) throw new Error(`package.json has no script ${name}`);
    return `${runs.replace('src/', `${repository}/src/`)} ${args}`;
  }
  return line
    .replaceAll(/https:\/\/daybook\.example\.workers\.dev|http:\/\/127\.0\.0\.1:8787/g, url)
    .replaceAll('/tmp/bundle', './bundle');
}
