import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type Cluster, type ClusterDatabase } from '../support/cluster.ts';
import { daybook, type Ran } from './daybook.ts';

const SECRET = 'a secret of the tests that is long enough for HMAC';

let cluster: Cluster;
let migrated: ClusterDatabase;
let empty: ClusterDatabase;
beforeAll(async () => {
  cluster = await startCluster();
  [migrated, empty] = [await cluster.create(), await cluster.create()];
  await on(migrated, 'migrate');
});
afterAll(() => cluster.close());

function on({ ownerUrl }: ClusterDatabase, command: string, args: string[] = []): Promise<Ran> {
  const env = {
    DATABASE_URL: ownerUrl,
    DAYBOOK_LOCAL_DATABASE: cluster.endpoint,
    DAYBOOK_KEY_SECRET: SECRET,
  };
  return daybook([...command.split(' '), ...args], { env });
}

async function keys(): Promise<Record<string, unknown>[]> {
  return migrated.owner.query('SELECT * FROM audit.api_keys ORDER BY id DESC');
}

describe('a mistyped option', () => {
  test('of migrate migrates nothing', async () => {
    expect((await on(empty, 'migrate --dryrun')).code).toBe(1);
    expect(await empty.owner.query(`SELECT to_regnamespace('audit') AS found`)).toEqual([{ found: null }]);
  });

  test.each(['npm_config_dry_run', 'npm_config_dryrun'])(
    'that npm kept to itself, as %s, migrates nothing',
    async (variable) => {
      const { ownerUrl, owner } = empty;
      const env = { DATABASE_URL: ownerUrl, DAYBOOK_LOCAL_DATABASE: cluster.endpoint, [variable]: 'true' };
      const { code, out } = await daybook(['migrate'], { env });
      expect(out).toBe('npm kept --dry-run to itself. Write: npm run migrate -- --dry-run\n');
      expect(code).toBe(1);
      expect(await owner.query(`SELECT to_regnamespace('audit') AS found`)).toEqual([{ found: null }]);
    },
  );

  test('of keys create makes no key', async () => {
    const before = await keys();
    expect((await on(migrated, 'keys create --name web --workspace acme --expire 3d')).code).toBe(1);
    expect(await keys()).toEqual(before);
  });
});

describe('a database that is not migrated', () => {
  test.each([
    'keys list',
    'keys create --name web --workspace acme',
    'keys revoke 01a1fde3-8610-7df8-ac15-67ac1e2ff8dc',
    'retention status',
    'retention run',
  ])('makes %j say to run migrate', async (command) => {
    const { code, out } = await on(empty, command);
    expect(out).toContain('run "npm run daybook -- migrate" first');
    expect(out).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });
});

describe('keys', () => {
  test('of several workspaces may have spaces after the commas', async () => {
    expect((await on(migrated, 'keys create --name web', ['--workspace', 'a, b'])).code).toBe(0);
    expect((await keys())[0]).toMatchObject({ workspaces: ['a', 'b'] });
    const known = await migrated.owner.query(`SELECT id FROM audit.workspaces WHERE id LIKE ' %'`);
    expect(known).toEqual([]);
  });

  test("cannot write to the service's own workspace, but read it", async () => {
    const before = await keys();
    for (const workspaces of ['daybook', 'acme, daybook']) {
      const refused = await on(migrated, 'keys create --name web', ['--workspace', workspaces]);
      expect(refused).toMatchObject({
        code: 1,
        out: expect.stringContaining('Only the service writes to the workspace daybook'),
      });
    }
    expect(await keys()).toEqual(before);
    const reader = await on(migrated, 'keys create --name audit --workspace daybook --scope events:read');
    expect(reader.code).toBe(0);
  });

  test.each(['abc', '', '01a1fde3-8610-7df8-ac15-67ac1e2ff8dcc'])(
    'are not looked for by %j, which is no id',
    async (id) => {
      const { code, out } = await on(migrated, 'keys revoke', [id]);
      expect(out).toContain(`"${id}" is not the id of a key`);
      expect(code).toBe(1);
    },
  );

  test('are revoked once', async () => {
    await on(migrated, 'keys create --name web --workspace acme');
    const [made] = await keys();
    expect(await on(migrated, `keys revoke ${String(made?.['id'])}`)).toMatchObject({ code: 0 });
    const again = await on(migrated, `keys revoke ${String(made?.['id'])}`);
    expect(again).toMatchObject({
      code: 1,
      out: 'There is no key with this id that is not revoked.\n',
    });
  });
});
