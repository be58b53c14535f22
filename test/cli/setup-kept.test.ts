import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type Cluster, type ClusterDatabase } from '../support/cluster.ts';
import { daybook } from './daybook.ts';
import { directoryWith, KEYS, keptIn, newDirectory, SECRETS, setupIn } from './setup.ts';

const HASH = 'a'.repeat(64);

let cluster: Cluster;
let database: ClusterDatabase;
/** Where it was set up, and what that left. */
let home: string;
let values: Record<string, string>;
beforeAll(async () => {
  cluster = await startCluster();
  database = await cluster.create();
  home = await newDirectory();
  expect(await setup(home)).toMatchObject({ code: 0 });
  values = await keptIn(home);
});
afterAll(() => cluster.close());

function setup(cwd: string, ...args: string[]) {
  return setupIn(cluster, database, cwd, ...args);
}

/** The Worker's secrets as setup left them, but for some. */
function secrets(changed: Record<string, string | undefined> = {}) {
  const { DATABASE_URL, DAYBOOK_KEY_SECRET, DAYBOOK_OPERATOR_KEY_HASHES } = values;
  return { DATABASE_URL, DAYBOOK_KEY_SECRET, DAYBOOK_OPERATOR_KEY_HASHES, ...changed };
}

async function secretsIn(cwd: string): Promise<unknown> {
  return JSON.parse(await readFile(join(cwd, SECRETS), 'utf8'));
}

describe('a rotation', () => {
  test.each([
    ['--rotate-key-secret', 'DAYBOOK_KEY_SECRET', 'two secrets'],
    ['--rotate-operator-key', 'DAYBOOK_OPERATOR_KEY_HASHES', 'two hashes'],
  ])('by %s is not begun before the last one has ended', async (flag, name, two) => {
    const cwd = await directoryWith(secrets());
    expect(await setup(cwd, flag)).toMatchObject({ code: 0 });
    const once = await secretsIn(cwd);
    expect(once).toMatchObject({ [name]: expect.stringMatching(new RegExp(`.,${values[name]}$`)) });
    const { code, out } = await setup(cwd, flag);
    expect(out).toContain(`${name} in ${SECRETS} holds ${two}: a rotation is under way. Take the second out`);
    expect(code).toBe(1);
    expect(await secretsIn(cwd)).toEqual(once);
  });

  test('changes nothing but the password where the Worker is not let in', async () => {
    const other = await cluster.create();
    const cwd = await directoryWith({
      DATABASE_URL: values['DATABASE_URL']?.replace(database.name, other.name),
    });
    expect(await setupIn(cluster, other, cwd)).toMatchObject({ code: 0 });
    const before = await keptIn(cwd);
    await other.superuser.query(`REVOKE CONNECT ON DATABASE ${other.name} FROM PUBLIC`);
    // The endpoint keeps sessions that are logged in.
    await other.superuser.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'daybook_app'`,
    );
    const flags = ['--rotate-key-secret', '--rotate-operator-key'];
    expect(await setupIn(cluster, other, cwd, ...flags)).toMatchObject({ code: 1 });
    expect(await keptIn(cwd)).toEqual(before);
  });
});

describe('what the Worker would refuse is named by file and member:', () => {
  test.each([
    ['DAYBOOK_OPERATOR_KEY_HASHES', 'x', 'at most two SHA-256 hashes'],
    ['DAYBOOK_KEY_SECRET', 'short', 'each secret needs 32 characters or more'],
    ['DATABASE_URL', 'postgres://daybook_app:hush/hush@h/d', 'is not a URL'],
    ['DATABASE_URL', 'postgres://daybook_app:hush%@h/d', 'has a % that begins no escape'],
  ])('%s of %j', async (name, value, fault) => {
    const { code, out } = await setup(await directoryWith(secrets({ [name]: value })));
    expect(out).toContain(`${name} in ${SECRETS}`);
    expect(out).toContain(fault);
    expect(out).not.toContain('hush');
    expect(code).toBe(1);
  });

  test("the owner's connection, or another user's", async () => {
    const cwd = await directoryWith(secrets({ DATABASE_URL: database.ownerUrl }));
    const { code, out } = await setup(cwd);
    expect(out).toContain(`DATABASE_URL in ${SECRETS} is of another user than daybook_app`);
    expect(code).toBe(1);
  });
});

test('takes a host in capitals and the port that is meant for the same database', async () => {
  const DATABASE_URL = values['DATABASE_URL']?.replace('@localhost/', '@LOCALHOST:5432/');
  expect(await setup(await directoryWith(secrets({ DATABASE_URL })))).toMatchObject({ code: 0 });
});

describe("the operator's key", () => {
  test('is not made where the Worker may know another', async () => {
    const cwd = await directoryWith(secrets({ DAYBOOK_OPERATOR_KEY_HASHES: undefined }));
    const { code, out } = await setup(cwd);
    expect(out).toContain(`DAYBOOK_OPERATOR_KEY_HASHES is not in ${SECRETS}, and the Worker may have one.`);
    expect(code).toBe(1);
    expect(await setup(cwd, '--rotate-operator-key')).toMatchObject({ code: 0 });
  });

  test('that is kept gets its hash back', async () => {
    const key = `DAYBOOK_OPERATOR_KEY=${values['DAYBOOK_OPERATOR_KEY']}\n`;
    const cwd = await directoryWith(secrets({ DAYBOOK_OPERATOR_KEY_HASHES: undefined }), SECRETS, key);
    const { out } = await setup(cwd);
    expect(out).toMatch(/^✓ An API key .* and the operator's are in /m);
    expect(await secretsIn(cwd)).toEqual(secrets());
  });

  test('is not said to be kept where it is not, or is not the one that the Worker knows', async () => {
    const key = `DAYBOOK_OPERATOR_KEY=${values['DAYBOOK_OPERATOR_KEY']}\n`;
    for (const cwd of [
      await directoryWith(secrets()),
      await directoryWith(secrets({ DAYBOOK_OPERATOR_KEY_HASHES: HASH }), SECRETS, key),
    ]) {
      const { out } = await setup(cwd);
      expect(out).toMatch(/^✓ An API key for main \(new\) is in /m);
    }
  });
});

test('an API key that is not good any more is not overwritten', async () => {
  const line = 'DAYBOOK_API_KEY=dbk_of-another-deployment\n';
  const cwd = await directoryWith(secrets(), SECRETS, line);
  const { code, out } = await setup(cwd);
  expect(out).toContain(`DAYBOOK_API_KEY in ${KEYS} is not good here, or not any more`);
  expect(code).toBe(1);
  expect(await readFile(join(cwd, KEYS), 'utf8')).toBe(line);
});

test('what a person wrote into the file of keys stays, and nothing is written where nothing changed', async () => {
  const text = `# ours\nexport DAYBOOK_API_KEY="${values['DAYBOOK_API_KEY']}"\nNOTE='two words'`;
  const cwd = await directoryWith(secrets(), SECRETS, text);
  const files = [SECRETS, KEYS].map((file) => join(cwd, file));
  const states = () => Promise.all(files.map(async (file) => (await stat(file)).ino));
  const before = await states();
  expect(await setup(cwd)).toMatchObject({ code: 0 });
  expect(await states()).toEqual(before);
  await setup(cwd, '--rotate-operator-key');
  await writeFile(join(cwd, SECRETS), JSON.stringify(secrets()));
  await setup(cwd, '--rotate-operator-key');
  const lines = (await readFile(join(cwd, KEYS), 'utf8')).split('\n');
  expect(lines).toEqual([...text.split('\n'), expect.stringMatching(/^DAYBOOK_OPERATOR_KEY=dbo_/), '']);
});

describe('before it migrates anything, it refuses', () => {
  let empty: ClusterDatabase;
  beforeAll(async () => {
    empty = await cluster.create();
  });

  test.each(['*', 'daybook', ''])('the workspace %j', async (workspace) => {
    const { code, out } = await setupIn(cluster, empty, await newDirectory(), `--workspace=${workspace}`);
    expect(out).toMatch(/^--workspace names one workspace/);
    expect(code).toBe(1);
  });

  test("the Worker's connection in place of the owner's", async () => {
    const env = { DATABASE_URL: values['DATABASE_URL'] ?? '', DAYBOOK_LOCAL_DATABASE: cluster.endpoint };
    const { code, out } = await daybook(['setup'], { env, cwd: home });
    expect(out).toMatch(/^DATABASE_URL must be the owner's connection/);
    expect(code).toBe(1);
  });

  test("a schema audit of the team's own, whose readers stay", async () => {
    await empty.owner.query('CREATE SCHEMA audit');
    await empty.owner.query('GRANT USAGE ON SCHEMA audit TO PUBLIC');
    const { code, out } = await setupIn(cluster, empty, await newDirectory());
    expect(out).toContain('there is a schema audit already, which Daybook did not make');
    expect(code).toBe(1);
    const usage = await empty.owner.query(
      `SELECT has_schema_privilege('daybook_app', 'audit', 'USAGE') AS ok`,
    );
    expect(usage).toEqual([{ ok: true }]);
  });
});

describe('the names of the Worker and its queues', () => {
  const TOML = `name = "acme-audit"
[[queues.producers]]
binding = "QUEUE"
queue = "acme-events"
[[queues.consumers]]
queue = "acme-events"
dead_letter_queue = "acme-lost-dead"
[env.staging.vars]
`;

  async function printed(toml: string, ...args: string[]) {
    const cwd = await directoryWith(secrets(), '.daybook/acme-audit.secrets.json');
    await writeFile(join(cwd, '.daybook/acme-audit-staging.secrets.json'), JSON.stringify(secrets()));
    await writeFile(join(cwd, 'wrangler.toml'), toml);
    return setup(cwd, ...args);
  }

  test('are those of wrangler.toml', async () => {
    const { out } = await printed(TOML);
    for (const text of [
      'create acme-events --',
      'create acme-lost-dead --',
      'bulk .daybook/acme-audit.secrets.json',
    ])
      expect(out).toContain(text);
  });

  test('of an environment too', async () => {
    const { out } = await printed(TOML, '--env', 'staging');
    expect(out).toContain('create acme-audit-staging-dead --');
    expect(out).toContain('bulk .daybook/acme-audit-staging.secrets.json --env=staging');
  });

  test('are asked for where it lacks the environment, or cannot be read', async () => {
    const missing = await printed(TOML, '--env', 'production');
    expect(missing).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^wrangler.toml has no environment production/),
    });
    const broken = await printed('name = ');
    expect(broken).toMatchObject({ code: 1, out: expect.stringMatching(/^wrangler.toml cannot be read/) });
  });
});
