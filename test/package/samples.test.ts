import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { samples, type Sample } from '../docs/samples.ts';
import type { Deployment } from '../support/deployment.ts';
import { CONTROL_PLANE, DESKTOP_MAIN } from '../import/sources/tables.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { makeSharedDatabase, type SharedDatabase } from '../support/shared-server.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { makeProject, type Project } from './packed.ts';
import { runnable } from './shell.ts';

const run = promisify(execFile);
const REPOSITORY = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
const scripts: Record<string, string> = packageJson.scripts;

let project: Project;
let daybook: Deployment;
/** for what speaks Postgres' own protocol */
let database: SharedDatabase;
let env: Record<string, string | undefined>;
beforeAll(async () => {
  [project, daybook, database] = await Promise.all([
    makeProject(['hono', 'pg', 'uuidv7', '@types/pg', '@types/node', 'wrangler']),
    sharedDeployment(),
    makeSharedDatabase(),
  ]);
  const key = await daybook.key();
  env = {
    PATH: `${project.directory}/bin:${process.env['PATH']}`,
    HOME: project.directory,
    DAYBOOK_URL: daybook.url,
    DAYBOOK_API_KEY: key,
    KEY: key,
  };
});
afterAll(async () => {
  await Promise.all([project.close(), daybook.close(), database.drop()]);
});

/** An application's own database. */
function oldDatabase(): string {
  const { user, password, database: name } = database.superuser;
  return `postgres://${user}:${password}@127.0.0.1:${database.port}/${name}`;
}

const of = (language: string) =>
  samples()
    .filter((sample) => sample.language === language)
    .map((sample) => [`${sample.file}:${sample.line}`, sample] as const);

/** What a sample takes from the application around it. */
const AROUND: [name: string, declaration: string][] = [
  [
    'audit',
    "import { createAudit } from 'daybook/client';\nconst audit = createAudit({ url: process.env.DAYBOOK_URL, apiKey: process.env.DAYBOOK_API_KEY });",
  ],
  ['logger', 'const logger = console;'],
  ['userId', "const userId = 'u_1';"],
  ['workspaceId', "const workspaceId = 'acme';"],
  ['request', "const request = { ip: '203.0.113.7', headers: { 'user-agent': 'node' } };"],
];

/** With what is around it, and for the deployment of the test. */
function completed({ code }: Sample): string {
  const prelude = AROUND.filter(
    ([name]) =>
      new RegExp(`\\b${name}\\b`).test(code) &&
      !new RegExp(`(const|import .*) ${name}\\b|${name}:`).test(code),
  );
  const own = code.replaceAll('https://daybook.example.com', daybook.url);
  return [...prelude.map(([, declaration]) => declaration), own].join('\n');
}

describe('TypeScript', () => {
  const files = of('ts').map(([, { file, line }]) => `${file.replaceAll(/\W/g, '-')}-${line}.ts`);

  beforeAll(async () => {
    for (const [index, [, sample]] of of('ts').entries()) {
      await writeFile(join(project.directory, files[index] ?? ''), completed(sample));
      if (sample.code.includes('export default defineCatalogue'))
        await writeFile(join(project.directory, 'catalogue.ts'), sample.code);
    }
  });

  test('of every sample compiles, strictly', async () => {
    const strict = [
      '--noEmit',
      '--strict',
      '--noUncheckedIndexedAccess',
      '--target',
      'es2023',
      '--skipLibCheck',
    ];
    const options = [...strict, '--module', 'nodenext', '--allowImportingTsExtensions', '--types', 'node'];
    await expect(run('tsc', [...options, ...files], { cwd: project.directory })).resolves.toMatchObject({
      stdout: '',
    });
  });

  test.each(of('ts').map(([place], index) => [place, index] as const))('%s runs', async (_place, index) => {
    const { stderr } = await run(process.execPath, [files[index] ?? ''], { cwd: project.directory, env });
    expect(stderr).toBe('');
  });
});

test('the outbox moves each event once, and keeps what is refused', async () => {
  const outbox = of('ts').find(([, { code }]) => code.includes('audit_outbox'))?.[1];
  const table = of('sql').find(([, { code }]) => code.includes('audit_outbox'))?.[1];
  await writeFile(join(project.directory, 'outbox.ts'), outbox?.code ?? '');
  await writeFile(
    join(project.directory, 'use-outbox.ts'),
    `import pg from 'pg';
     import { relay, remember } from './outbox.ts';
     const pool = new pg.Pool({ connectionString: ${JSON.stringify(oldDatabase())} });
     await pool.query(${JSON.stringify(table?.code)});
     const client = await pool.connect();
     const event = { action: 'outbox.sent', actor: { type: 'system' }, target: { type: 't' } } as const;
     for (let n = 0; n < 60; n += 1) await remember(client, { ...event, metadata: { n } });
     await remember(client, { ...event, action: 'not an action' });
     client.release();
     const moved = [];
     for (let n = 1; n > 0; ) moved.push((n = await relay(pool, process.env.DAYBOOK_URL!, process.env.DAYBOOK_API_KEY!)));
     await relay(pool, 'http://127.0.0.1:9', 'x');
     const { rows } = await pool.query('SELECT refused FROM audit_outbox');
     console.log(JSON.stringify({ moved, rows }));
     await pool.end();`,
  );
  const { stdout } = await run(process.execPath, ['use-outbox.ts'], { cwd: project.directory, env });
  expect(JSON.parse(stdout)).toEqual({
    moved: [50, 11, 0],
    rows: [{ refused: expect.stringMatching(/^invalid_event: /) }],
  });
  const [row] = await daybook.database.superuser.query(
    `SELECT count(*)::integer AS n FROM audit.events WHERE action = 'outbox.sent'`,
  );
  expect(row).toEqual({ n: 60 });
});

describe('the shell', () => {
  beforeAll(async () => {
    const { directory } = project;
    await mkdir(join(directory, 'bin'));
    await copyFile(new URL('curl.mjs', import.meta.url), join(directory, 'bin/curl'));
    await chmod(join(directory, 'bin/curl'), 0o755);
    await mkdir(join(directory, '.daybook'));
    const owner = [
      `DATABASE_URL="${daybook.database.ownerUrl}"`,
      `DAYBOOK_LOCAL_DATABASE="${daybook.database.endpoint.url.href}"`,
    ];
    await writeFile(join(directory, '.daybook/owner.env'), owner.join('\n'));
    await writeFile(
      join(directory, '.daybook/daybook.keys.env'),
      `DAYBOOK_API_KEY=${env['DAYBOOK_API_KEY']}\n`,
    );
    // Its bundle is worker.js, as this repository's.
    await copyFile(join(directory, 'daybook.mjs'), join(directory, 'worker.mjs'));
  });

  /** What docs/migrating.md brings over: a row of each kind of source. */
  beforeAll(async () => {
    const { directory } = project;
    await mkdir(join(directory, '.config/app'), { recursive: true });
    const app = new DatabaseSync(join(directory, '.config/app/app.db'));
    app.exec(DESKTOP_MAIN);
    app.exec(`INSERT INTO audit_logs (id, action, resource_type) VALUES ('1', 'LOGIN', 'USER')`);
    app.close();
    const client = new Client(oldDatabase());
    await client.connect();
    await client.query(CONTROL_PLANE);
    await client.query(
      `INSERT INTO control_plane.audit_logs (actor_id, actor_type, action, target_type, target_id) VALUES ('u_1', 'user', 'a', 'project', 'p')`,
    );
    await client.end();
    const rows = 'id,action_type,timestamp\n1,task_created,2026-01-02T03:04:05Z\n';
    await writeFile(join(directory, 'old.csv'), rows);
    const event = {
      action: 'a',
      actor: { type: 'system' },
      target: { type: 't' },
      created_at: '2025-01-02T03:04:05Z',
    };
    await writeFile(join(directory, 'events.ndjson'), `${JSON.stringify(event)}\n`);
  });

  // One of the samples copies the package's own.
  beforeEach(async () => {
    const { directory } = project;
    const shipped = await readFile(join(directory, 'node_modules/daybook/wrangler.toml'), 'utf8');
    await writeFile(join(directory, 'wrangler.toml'), shipped.replace('src/worker.ts', 'worker.mjs'));
  });

  test.each(of('sh'))('%s runs', async (_place, { code }) => {
    const { directory: cwd } = project;
    const script = runnable(code, {
      url: daybook.url,
      oldDatabase: oldDatabase(),
      repository: REPOSITORY,
      scripts,
    });
    const variables = {
      ...env,
      DATABASE_URL: daybook.database.ownerUrl,
      DAYBOOK_LOCAL_DATABASE: daybook.database.endpoint.url.href,
    };
    await expect(run('bash', ['-c', script], { cwd, env: variables })).resolves.toBeDefined();
  });
});
