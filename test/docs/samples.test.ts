import { readFileSync } from 'node:fs';
import { parse as parseToml } from 'smol-toml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { openSession } from '../support/session.ts';
import { samples } from './samples.ts';

/** TypeScript and shell are run where the package is installed (test/package/samples.test.ts), Python and Go in .ci/languages. */
const ELSEWHERE = ['', 'mermaid', 'ts', 'sh', 'python', 'go'];
const HERE = ['json', 'sql', 'yaml', 'toml'];

const of = (language: string) =>
  samples()
    .filter((sample) => sample.language === language)
    .map(({ file, line, code }) => [`${file}:${line}`, code] as const);

test('every sample is of a language that is run', () => {
  const others = samples().filter(({ language }) => ![...ELSEWHERE, ...HERE].includes(language));
  expect(others).toEqual([]);
  expect(samples().length).toBeGreaterThan(20);
});

test.each(of('json'))('%s is JSON, or a line of it each', (_place, code) => {
  const texts = /^\{.*\}\n\{/.test(code) ? code.trim().split('\n') : [code];
  for (const text of texts) expect(JSON.parse(text)).toBeTypeOf('object');
});

test.each(of('yaml'))('%s is YAML of Prometheus', (_place, code) => {
  expect(parseYaml(code)).toSatisfy((value: object) => 'scrape_configs' in value || 'groups' in value);
});

test.each(of('toml'))('%s goes into wrangler.toml', (_place, code) => {
  const known = parseToml(readFileSync(new URL('../../wrangler.toml', import.meta.url), 'utf8'));
  // At its top, before the first table.
  const merged = parseToml(
    `${code}\n${readFileSync(new URL('../../wrangler.toml', import.meta.url), 'utf8')}`,
  );
  expect(merged).toMatchObject(known);
});

describe('SQL', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await startDatabase('postgres');
  });
  afterAll(() => database.close());

  test.each(of('sql'))('%s is what the owner may run', async (_place, code) => {
    const session = await openSession(database, 'owner');
    await session.query('BEGIN');
    await expect(session.query(code)).resolves.toBeDefined();
    await session.query('ROLLBACK');
    await session.end();
  });
});
