import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, expect, test } from 'vitest';
import { ImportError } from './import-error.ts';
import { openImport, type ImportRequest } from './open-import.ts';

const directory = await mkdtemp(join(tmpdir(), 'daybook-open-'));
const at = (name: string) => (name.includes('://') ? name : join(directory, name));

beforeAll(async () => {
  const files = {
    'some.csv': 'id,user_id,action,resource_type,timestamp\n',
    'whole.csv': 'id,user_id,action,resource_type,timestamp,tenant\n',
    'workspace.json': '{"columns": {"tenant": "workspace_id"}}',
    'default.json': '{"defaults": {"workspace_id": "acme"}}',
    'some.ndjson': '{}\n',
    'notes.txt': 'hello',
    'empty.csv': '',
    'columns.csv': 'id,who\n',
    'bad.json': '{"name": "x", "columns": {"id": "identity"}}',
    'text.json': 'no JSON',
    'typo.json': '{"columns": {"usr_id": "actor.id"}}',
    'fake.db': 'not a database, but long enough to be looked at',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(at(name), content);
  for (const name of ['other.db', 'without-ending'])
    new DatabaseSync(at(name)).exec('CREATE TABLE things (a)');
});

test.each<[ImportRequest, string]>([
  [
    { from: 'some.csv' },
    'Say what the columns are: --preset desktop|control-plane|gdpr|tasks|workspace, or --mapping',
  ],
  [{ from: 'notes.txt', preset: 'desktop' }, '--from takes postgres://'],
  [{ from: 'missing.csv', preset: 'desktop' }, 'missing.csv cannot be read (ENOENT)'],
  [{ from: 'missing.db', preset: 'desktop' }, 'missing.db cannot be read as a SQLite database'],
  [{ from: 'fake.db', preset: 'desktop' }, 'fake.db cannot be read as a SQLite database'],
  [{ from: 'empty.csv', preset: 'desktop' }, 'empty.csv is empty'],
  [{ from: 'columns.csv', preset: 'desktop' }, 'The source has no column action'],
  [
    { from: 'other.db', preset: 'desktop' },
    'has no table audit_logs. Name one of these with --table: things',
  ],
  [{ from: 'without-ending', preset: 'desktop' }, 'has no table audit_logs.'],
  [{ from: 'other.db', preset: 'desktop', table: 'thing' }, 'has no table thing.'],
  [{ from: 'some.csv', preset: 'desktop', table: 't' }, 'A CSV file has no tables'],
  [{ from: 'some.ndjson', preset: 'desktop' }, "NDJSON holds Daybook's own events"],
  [{ from: 'some.csv', preset: 'desktop' }, 'Add --workspace: no column names one'],
  [{ from: 'some.csv', mapping: 'bad.json' }, 'columns.id.field'],
  [{ from: 'some.csv', mapping: 'text.json' }, 'text.json cannot be read'],
  [{ from: 'some.csv', mapping: 'missing.json' }, 'missing.json cannot be read'],
  [{ from: 'some.csv', preset: 'desktop', mapping: 'typo.json' }, 'no column usr_id. Is it user_id?'],
  [{ from: 'pg://u:secret@h/app.db', preset: 'desktop' }, 'no URL but that of Postgres'],
  [{ from: 'postgres://u:secret@127.0.0.1:1/d', preset: 'gdpr' }, 'The source database does not let us in'],
])('%j is told what to do', async ({ from, mapping, ...request }, message) => {
  const opening = openImport({
    ...request,
    from: at(from),
    mapping: mapping === undefined ? undefined : at(mapping),
  });
  const error: unknown = await opening.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ImportError);
  expect(String(error)).toContain(message);
  expect(String(error)).not.toContain('secret');
});

test.each([
  ['a column', 'whole.csv', 'workspace.json'],
  ['a default', 'some.csv', 'default.json'],
])('rows that %s gives a workspace need none of the command line', async (_, from, mapping) => {
  const { source, settings } = await openImport({
    from: at(from),
    preset: 'desktop',
    mapping: at(mapping),
  });
  expect(settings).toMatchObject({ workspace: undefined });
  await source.close();
});

test('rejects are named after the source and the mapping', async () => {
  const { source, rejects } = await openImport({
    from: at('some.csv'),
    preset: 'desktop',
    workspace: 'acme',
  });
  expect(rejects).toMatch(/^some\.csv\.desktop\.acme\.[0-9a-f]{6}\.rejects\.ndjson$/);
  await source.close();
});
