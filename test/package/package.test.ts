import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTestHarness } from 'wrangler';
import { deploy, type Deployment } from '../support/deployment.ts';
import { makeProject, type Project } from './packed.ts';

const run = promisify(execFile);
const ENTRIES = ['client', 'hono', 'express', 'next', 'testing'];

let project: Project;
let daybook: Deployment;
let environment: { DAYBOOK_URL: string; DAYBOOK_API_KEY: string };

beforeAll(async () => {
  [project, daybook] = await Promise.all([makeProject(['express', 'pino', 'hono']), deploy('pglite')]);
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

  test('has a client of less than 6 KB that depends on nothing', async () => {
    const code = await readFile(join(project.directory, 'node_modules/daybook/dist/client/index.js'));
    expect(gzipSync(code, { level: 9 }).length).toBeLessThan(6000);
    expect(code.toString()).not.toMatch(/\bimport\s*["'{*\w(]|\brequire\(/);
  });

  test('leaves Hono to the application that uses it', async () => {
    const packed = join(project.directory, 'node_modules/daybook');
    const manifest = JSON.parse(await readFile(join(packed, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({
      peerDependencies: { hono: '^4.0.0' },
      peerDependenciesMeta: { hono: { optional: true } },
    });
    expect(manifest.dependencies).not.toHaveProperty('hono');
    const code = await readFile(join(packed, 'dist/client/hono.js'), 'utf8');
    expect(code).not.toMatch(/["'`]hono["'`/]/);
    expect(await readFile(join(packed, 'dist/client/hono.d.ts'), 'utf8')).toContain('from "hono"');
  });

  test.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('has types for TypeScript with module %s and its resolution %s', async (module, resolution) => {
    const file = join(project.directory, `${resolution}.ts`);
    const imports = ENTRIES.map((entry) => `import * as ${entry} from 'daybook/${entry}';`);
    const uses = `
      const audit = client.createAudit({ url: 'https://daybook.test', apiKey: 'dbk_x' });
      audit.log({ action: 'a', actor: { type: 'system' }, target: { type: 't' } });
      // @ts-expect-error an actor is of a known type
      audit.log({ action: 'a', actor: { type: 'robot' }, target: { type: 't' } });
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
