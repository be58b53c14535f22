import { globSync, readFileSync } from 'node:fs';

/** A fenced block of README.md or docs/. */
export interface Sample {
  file: string;
  /** the line of its fence */
  line: number;
  /** what stands behind the fence; `''` for drawings */
  language: string;
  code: string;
}

const ROOT = new URL('../..', import.meta.url).pathname;

/** Every code sample there is, in the order of its file. */
export function samples(): Sample[] {
  return ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT }).toSorted()].flatMap((file) => {
    const text = readFileSync(`${ROOT}${file}`, 'utf8');
    return Array.from(
      text.matchAll(/^```([a-z]*)\n(.*?)^```$/gms),
      ({ index, 1: language = '', 2: code = '' }) => ({
        file,
        line: text.slice(0, index).split('\n').length,
        language,
        code,
      }),
    );
  });
}
