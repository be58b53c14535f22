import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createTestHarness } from 'wrangler';
import { connect } from '../../src/db/client.ts';
import { startCluster, type Cluster, type ClusterDatabase } from '../support/cluster.ts';
import { daybook } from './daybook.ts';
import { directoryWith, KEYS, keptIn, newDirectory, SECRETS, setupIn } from './setup.ts';

const run = promisify(execFile);

let cluster: Cluster;
let first: ClusterDatabase;
let second: ClusterDatabase;
/** Where the first was set up. */
let home: string;
beforeAll(async () => {
  cluster = await startCluster();
  [first, second] = [await cluster.create(), await cluster.create()];
  home = await newDirectory();
});
afterAll(() => cluster.close());

function setup(database: ClusterDatabase, cwd: string, ...args: string[]) {
  return setupIn(cluster, database, cwd, ...args);
}

const kept = (cwd = home) => keptIn(cwd);

async function canLogIn(url = ''): Promise<boolean> {
  // The endpoint keeps sessions that are logged in.
  await first.superuser.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'daybook_app'`,
  );
  return connect({ url, localEndpoint: cluster.endpoint })
    .query('SELECT audit.readiness()')
    .then(() => true)
    .catch(() => false);
}

test('takes an empty database to a first event, by what it prints', async () => {
  const { code, out } = await setup(first, home, '--workspace', 'acme');
  expect({ code, out }).toMatchObject({ code: 0 });
  expect(out).toMatch(
    new RegExp(`^Database localhost/${first.name}, as daybook_owner:\napplied  0001_foundation`),
  );
  for (const file of [SECRETS, KEYS]) expect((await stat(join(home, file))).mode & 0o777).toBe(0o600);
  expect(
    (await run('git', ['-C', home, 'init', '-q']), await run('git', ['-C', home, 'status', '-s'])).stdout,
  ).toBe('');
  const values = await kept();
  for (const value of Object.values(values)) expect(out).not.toContain(value);

  const harness = createTestHarness({
    workers: [
      {
        configPath: new URL('../../wrangler.toml', import.meta.url),
        prebuiltWorkerDir: inject('bundleDirectory'),
        secrets: {
          DAYBOOK_LOCAL_DATABASE: cluster.endpoint,
          ...(JSON.parse(await readFile(join(home, SECRETS), 'utf8')) as Record<string, string>),
        },
      },
    ],
  });
  const { url } = await harness.listen();
  const lines = out.slice(out.indexOf('DAYBOOK_URL=')).split('\n\n')[0] ?? '';
  const script = lines
    .replace(/DAYBOOK_URL=.*/, `DAYBOOK_URL=${url.origin}`)
    .replaceAll(/^ *curl.*/gm, '$&; echo');
  const { stdout } = await run('sh', ['-euc', script], { cwd: home });
  const [ready, receipt, list] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(ready).toMatchObject({ status: 'ready' });
  expect(receipt).toMatchObject({ workspace_id: 'acme', result: 'committed' });
  expect(list).toMatchObject({ data: [{ action: 'daybook.deployed' }] });
  const headers = { Authorization: `Bearer ${values['DAYBOOK_OPERATOR_KEY']}` };
  expect((await fetch(new URL('/v1/retention', url), { headers })).status).toBe(200);
  await harness.close();
});

test('changes nothing when it is run again', async () => {
  const before = await kept();
  const keys = await first.owner.query('SELECT id FROM audit.api_keys');
  const { code, out } = await setup(first, home);
  expect({ code, out }).toMatchObject({ code: 0 });
  expect(out).toContain('as they were');
  expect(await kept()).toEqual(before);
  expect(await first.owner.query('SELECT id FROM audit.api_keys')).toEqual(keys);
  expect(await canLogIn(before['DATABASE_URL'])).toBe(true);
});

test('makes anew what it is told to, and keys that there are stay good', async () => {
  const before = await kept();
  const flags = ['--rotate-password', '--rotate-key-secret', '--rotate-operator-key'];
  const { code, out } = await setup(first, home, ...flags);
  expect({ code, out }).toMatchObject({ code: 0 });
  const after = await kept();
  expect([await canLogIn(before['DATABASE_URL']), await canLogIn(after['DATABASE_URL'])]).toEqual([
    false,
    true,
  ]);
  expect(after['DAYBOOK_KEY_SECRET']).toMatch(new RegExp(`^[\\w-]{43},${before['DAYBOOK_KEY_SECRET']}$`));
  expect(after['DAYBOOK_OPERATOR_KEY_HASHES']).toMatch(
    new RegExp(`^[0-9a-f]{64},${before['DAYBOOK_OPERATOR_KEY_HASHES']}$`),
  );
  expect(after['DAYBOOK_OPERATOR_KEY']).not.toBe(before['DAYBOOK_OPERATOR_KEY']);
  expect(after['DAYBOOK_API_KEY']).toBe(before['DAYBOOK_API_KEY']);
});

describe('rather than break a deployment, it', () => {
  test('leaves the password that it does not know', async () => {
    const { code, out } = await setup(first, await newDirectory());
    expect(out).toContain(`daybook_app can log in already, and its password is not in ${SECRETS}.`);
    expect(out).toContain('--rotate-password');
    expect(code).toBe(1);
    expect(await canLogIn((await kept())['DATABASE_URL'])).toBe(true);
  });

  test('leaves the secret of keys that it does not know', async () => {
    const { DATABASE_URL } = await kept();
    const { code, out } = await setup(first, await directoryWith({ DATABASE_URL }));
    expect(out).toContain(`API keys were issued, and the secret that signed them is not in ${SECRETS}.`);
    expect(code).toBe(1);
  });

  test('refuses the file of another database', async () => {
    const before = await kept();
    const { code, out } = await setup(second, home, '--rotate-password');
    expect(out).toContain(
      `is of the database localhost/${first.name}, and DATABASE_URL names localhost/${second.name}`,
    );
    expect(code).toBe(1);
    expect(await kept()).toEqual(before);
  });

  test('refuses a file that it cannot read', async () => {
    const { code, out } = await setup(second, await directoryWith({ DATABASE_URL: 1 }));
    expect(out).toContain(`${SECRETS} is not a JSON object with texts for DATABASE_URL`);
    expect(code).toBe(1);
  });

  test('says so when the password in the file is not the one', async () => {
    const DATABASE_URL = `postgres://daybook_app:wrong@localhost/${second.name}`;
    const { code, out } = await setup(second, await directoryWith({ DATABASE_URL }));
    expect(out).toContain(`Mend DATABASE_URL in ${SECRETS}, or add --rotate-password.`);
    expect(out).not.toContain('wrong@');
    expect(code).toBe(1);
  });
});

test('takes up a password that it is told, for an environment by its name, and shows values only when it is asked to', async () => {
  const file = '.daybook/daybook-production.secrets.json';
  const { DATABASE_URL: known = '' } = await kept();
  const DATABASE_URL = known.replace(first.name, second.name);
  const cwd = await directoryWith({ DATABASE_URL }, file);
  const { code, out } = await setup(second, cwd, '--env', 'production', '--show-secrets');
  expect({ code, out }).toMatchObject({ code: 0 });
  expect(out).toContain(`DATABASE_URL=${DATABASE_URL}\n`);
  expect(out).toMatch(/^DAYBOOK_API_KEY=dbk_/m);
  expect(out).toContain(
    'npx wrangler queues create daybook-production-dead --message-retention-period-secs 1209600',
  );
  expect(out).toContain(`npx wrangler secret bulk ${file} --env=production`);
  for (const name of ['DATABASE_URL', 'DAYBOOK_KEY_SECRET', 'DAYBOOK_OPERATOR_KEY_HASHES']) {
    expect(out).toContain(`.${name}" | npx wrangler secret put ${name} --env=production`);
  }
});

test('goes no further where the database is not as the migrations make it', async () => {
  await second.owner.query('DROP INDEX audit.retention_runs_started');
  const cwd = await newDirectory();
  const { code, out } = await setup(second, cwd);
  expect(out).toContain('✗ retention_runs: index on btree (started_at DESC) is missing');
  expect(code).toBe(1);
  await expect(stat(join(cwd, '.daybook'))).rejects.toThrow('ENOENT');
});

test('asks nothing where there is no terminal', async () => {
  const { code, out } = await daybook(['setup'], { cwd: await newDirectory() });
  expect(out).toMatch(/^Set DATABASE_URL: the owner's connection, as Neon's console shows it/);
  expect(code).toBe(1);
});
