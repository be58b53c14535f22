import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTestHarness } from 'wrangler';
import { deploy, KEY_SECRET, type Deployment } from '../support/deployment.ts';
import { makeProject, type Project } from './packed.ts';

const run = promisify(execFile);
const ENTRIES = ['client', 'hono', 'express', 'next', 'testing', 'catalogue'];

let project: Project;
let daybook: Deployment;
let environment: { DAYBOOK_URL: string; DAYBOOK_API_KEY: string };

beforeAll(async () => {
  [project, daybook] = await Promise.all([makeProject(['express', 'pino', 'hono']), deploy()]);
  environment = {
    DAYBOOK_URL: daybook.url,
    DAYBOOK_API_KEY: await daybook.key({ scopes: ['events:write'] }),
  };
});
afterAll(async () => {
  await Promise.all([project.close(), daybook.close()]);
});

/** The login of a user, once it is stored. */
async function login(actorId: string) {
  return vi.waitUntil(
    async () => {
      const [row] = await daybook.database.superuser.query(
        `SELECT e.action, e.workspace_id, e.user_agent, host(i.ip_address) AS ip_address
         FROM audit.events e LEFT JOIN audit.event_ips i ON i.event_id = e.id WHERE e.actor_id = $1`,
        [actorId],
      );
      return row;
    },
    { timeout: 20_000, interval: 50 },
  );
}

describe('the package', () => {
  test('is one that publint and are-the-types-wrong find nothing wrong with', async () => {
    const { messages } = await publint({
      pkgDir: join(project.directory, 'node_modules/daybook'),
      strict: true,
    });
    expect(messages).toEqual([]);
    await expect(run('attw', [project.tarball, '--profile', 'esm-only'])).resolves.toBeDefined();
  });

  test('has a client of less than 7 KiB that depends on nothing', async () => {
    const code = await readFile(join(project.directory, 'node_modules/daybook/dist/client/index.js'));
    expect(gzipSync(code, { level: 9 }).length).toBeLessThan(6000);
    expect(code.toString()).not.toMatch(/\bimport\s*["'{*\w(]|\brequire\(/);
  });

  test('needs no other, and names those that it holds', async () => {
    const packed = join(project.directory, 'node_modules/daybook');
    const manifest = JSON.parse(await readFile(join(packed, 'package.json'), 'utf8'));
    expect(manifest).not.toHaveProperty('dependencies');
    const files = globSync('dist/**/*.{js,d.ts}', { cwd: packed });
    expect(files).toContain('dist/cli/main.js');
    const imported = files.flatMap((file) =>
      Array.from(
        readFileSync(join(packed, file), 'utf8').matchAll(
          /^(?:import|export)\b[^'"\n]*["']([^."'][^"']*)["'];$/gm,
        ),
        ([, name = '']) => `${file} ${name}`,
      ),
    );
    const others = imported.filter((line) => !isBuiltin(line.split(' ')[1] ?? ''));
    // Its types: whoever uses that entry has Hono.
    expect(others).toEqual(['dist/client/hono.d.ts hono']);
    const notices = await readFile(join(packed, 'dist/THIRD-PARTY-NOTICES'), 'utf8');
    for (const name of ['hono', 'zod', 'drizzle-orm', '@neondatabase/serverless', 'pg', 'pg-types', 'citty'])
      expect(notices).toMatch(new RegExp(`^${name} \\d.* \\([A-Z]`, 'm'));
  });

  test('leaves Hono to the application that uses it, of any minor version', async () => {
    const packed = join(project.directory, 'node_modules/daybook');
    const manifest = JSON.parse(await readFile(join(packed, 'package.json'), 'utf8'));
    expect(manifest.peerDependencies).toEqual({ hono: '^4.0.0' });
    expect(manifest.peerDependenciesMeta).toEqual({ hono: { optional: true } });
    const code = await readFile(join(packed, 'dist/client/hono.js'), 'utf8');
    expect(code).not.toMatch(/["'`]hono["'`/]/);
  });

  test('has each page that its README names', async () => {
    const packed = join(project.directory, 'node_modules/daybook');
    const readme = await readFile(join(packed, 'README.md'), 'utf8');
    const pages = Array.from(readme.matchAll(/\]\((?!https?:)([^)#]+)/g), ([, page = '']) => page);
    expect(pages).toContain('docs/deploy.md');
    expect(pages.filter((page) => !existsSync(join(packed, page)))).toEqual([]);
  });

  test.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('has types for TypeScript with module %s and its resolution %s', async (module, resolution) => {
    const file = join(project.directory, `${resolution}.ts`);
    const imports = ENTRIES.map((entry) => `import * as ${entry} from 'daybook/${entry}';`);
    const uses = `
      import { createDaybook, type Daybook, type DaybookOptions } from 'daybook';
      import type {
        ActorType, AuditAction, AuditLog, AuditLogMetadata, AuditLogQuery, AuditLogResponse, CreateAuditLogInput,
        IAuditLogService, RequestContext, TargetType,
      } from 'daybook';
      const options: DaybookOptions = { defaultAck: 'queued' };
      export const workers: Daybook[] = [createDaybook(), createDaybook(options)];
      // @ts-expect-error an ack is a known one
      createDaybook({ defaultAck: 'none' });
      const audit = client.createAudit({ url: 'https://daybook.test', apiKey: 'dbk_x' });
      audit.log({ action: 'a', actor: { type: 'system' }, target: { type: 't' } });
      // @ts-expect-error an actor is of a known type
      audit.log({ action: 'a', actor: { type: 'robot' }, target: { type: 't' } });
      const own = catalogue.defineCatalogue({ actions: { 'a.b': { target: 't', metadata: { n: 'number' } } } });
      createDaybook({ catalogue: own });
      export const event: catalogue.EventOf<typeof own.definition> = { action: 'a.b', target: { type: 't' }, metadata: { n: 1 } };
      // @ts-expect-error an action is one of the catalogue
      export const other: catalogue.EventOf<typeof own.definition> = { action: 'b', target: { type: 't' }, metadata: { n: 1 } };
      type Named = ActorType | TargetType | AuditAction | AuditLogMetadata | AuditLog | AuditLogQuery | RequestContext;
      export const named: Named[] = ['api_key', 'project', 'TRANSACTION_CREATE', { k: 1 }, { ip_address: '::1' }];
      export const input: CreateAuditLogInput = { action: 'a', actor: { type: 'system' }, target: { type: 'secret' } };
      // @ts-expect-error a target has a type
      export const without: CreateAuditLogInput = { action: 'a', actor: { type: 'system' }, target: {} };
      export const read = async (service: IAuditLogService): Promise<AuditLogResponse['data'][number]['created_at'][]> => {
        await service.createAuditLog(input);
        return (await service.queryAuditLogs({ actor_type: ['user'], limit: 10 })).data.map((one: AuditLog) => one.created_at);
      };
      export const wrapped = next.withAuditContext(audit)(async (_, ofRequest) => ofRequest.counts.stored);
      export const middleware = [hono.auditContext(audit), express.auditContext(audit)];`;
    await writeFile(file, [...imports, uses].join('\n'));
    const options = ['--noEmit', '--strict', '--target', 'es2023', '--lib', 'es2023,dom,dom.iterable'];
    const checking = run('tsc', [...options, '--module', module, '--moduleResolution', resolution, file], {
      cwd: project.directory,
    });
    await expect(checking).resolves.toMatchObject({ stdout: '' });
  });
});

describe('a login is recorded in a few lines', () => {
  test('by an Express application with pino', async () => {
    const app = spawn('node', [join(project.directory, 'express.mjs')], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(app.stdout, 'data')) as [Buffer];
    const port = /\d+/.exec(line.toString())?.[0] ?? '';
    const answer = await fetch(`http://127.0.0.1:${port}/login`, {
      method: 'POST',
      headers: { 'User-Agent': 'curl' },
    });
    expect([answer.status, await answer.text()]).toEqual([200, 'welcome']);
    expect(await login('u_express')).toEqual({
      action: 'login',
      workspace_id: 'acme',
      user_agent: 'curl',
      ip_address: '127.0.0.1',
    });
    const ended = once(app, 'exit');
    app.kill();
    await ended;
  });

  test('by a route handler in the style of Next.js', async () => {
    vi.stubEnv('DAYBOOK_URL', environment.DAYBOOK_URL);
    vi.stubEnv('DAYBOOK_API_KEY', environment.DAYBOOK_API_KEY);
    const { POST } = (await import(pathToFileURL(join(project.directory, 'next.mjs')).href)) as {
      POST(request: Request): Promise<Response>;
    };
    vi.unstubAllEnvs();
    const headers = { 'User-Agent': 'curl', 'X-Forwarded-For': '203.0.113.66, 198.51.100.7' };
    const answer = await POST(new Request('https://app.test/login', { method: 'POST', headers }));
    expect(await answer.json()).toEqual({ welcome: true });
    expect(await login('u_next')).toMatchObject({
      action: 'login',
      user_agent: 'curl',
      ip_address: '198.51.100.7',
    });
  });

  test('by a Worker with Hono, once its answer is given', async () => {
    const app = createTestHarness({
      workers: [{ configPath: join(project.directory, 'wrangler.toml'), vars: environment }],
    });
    const { url } = await app.listen();
    const headers = { 'User-Agent': 'curl', 'CF-Connecting-IP': '198.51.100.9' };
    const answer = await fetch(new URL('/login', url), { method: 'POST', headers });
    expect([answer.status, await answer.text()]).toEqual([200, 'welcome']);
    expect(await login('u_worker')).toMatchObject({
      action: 'login',
      user_agent: 'curl',
      ip_address: '198.51.100.9',
    });
    await app.close();
  });
});

describe("a team's own Worker", () => {
  test('of a few lines deploys, holds events to its catalogue, and stores them', async () => {
    const { directory } = project;
    const config = join(directory, 'daybook.toml');
    const shipped = await readFile(join(directory, 'node_modules/daybook/wrangler.toml'), 'utf8');
    await writeFile(config, shipped.replace('main = "src/worker.ts"', 'main = "daybook.mjs"'));
    const outdir = join(directory, 'bundle');
    await run('wrangler', ['deploy', '--env', '', '--config', config, '--dry-run', '--outdir', outdir]);

    const secrets = {
      DATABASE_URL: daybook.database.appUrl,
      DAYBOOK_LOCAL_DATABASE: daybook.database.endpoint.url.href,
      DAYBOOK_KEY_SECRET: KEY_SECRET,
    };
    // Empty: the option says.
    const vars = { DAYBOOK_DEFAULT_ACK: '' };
    const worker = createTestHarness({
      workers: [{ configPath: config, prebuiltWorkerDir: outdir, secrets, vars }],
    });
    const { url } = await worker.listen();
    const headers = {
      Authorization: `Bearer ${environment.DAYBOOK_API_KEY}`,
      'Content-Type': 'application/json',
    };
    const post = (fields: object) => {
      const body = JSON.stringify({
        actor: { type: 'user', id: 'u_own' },
        target: { type: 'invoice' },
        ...fields,
      });
      return fetch(new URL('/v1/events', url), { method: 'POST', headers, body });
    };
    const answer = await post({ action: 'invoice.paid', metadata: { amount: 12.5 } });
    expect([answer.status, answer.headers.get('Daybook-Ack')]).toEqual([201, 'committed']);
    expect(await login('u_own')).toMatchObject({ action: 'invoice.paid', workspace_id: 'acme' });
    const refused = await post({ action: 'invoice.payed', metadata: { amount: '12.5' } });
    expect([refused.status, await refused.json()]).toEqual([
      422,
      expect.objectContaining({ errors: [expect.objectContaining({ code: 'unknown_action' })] }),
    ]);
    const mistyped = await post({ action: 'invoice.paid', metadata: { amount: '12.5' } });
    expect(await mistyped.json()).toMatchObject({
      errors: [{ pointer: '/metadata/amount', code: 'wrong_type' }],
    });
    await worker.close();
  });
});

describe('the commands', () => {
  test('run where the package is installed', async () => {
    const { directory: cwd } = project;
    const env = {
      ...process.env,
      DATABASE_URL: daybook.database.ownerUrl,
      DAYBOOK_LOCAL_DATABASE: daybook.database.endpoint.url.href,
    };
    const [help, status, doctor] = await Promise.all([
      run('npx', ['--no', '--', 'daybook', 'keys', '--help'], { cwd }),
      run('npx', ['--no', '--', 'daybook', 'migrate', 'status'], { cwd, env }),
      run('node_modules/.bin/daybook', ['doctor'], { cwd, env }),
    ]);
    expect(help.stdout).toContain('npx --no-install daybook keys create|list|revoke');
    expect(status.stdout).toMatch(/^applied +0001_foundation +\d{4}-/m);
    expect(doctor.stdout).toContain('as the migrations make it');
  });
});
