import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEndpoint } from '../../src/local/endpoint.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { StubEngine } from '../support/stub-engine.ts';
import { daybook } from './daybook.ts';

const SECRET = 'a secret of the tests that is long enough for HMAC';

let database: TestDatabase;
/** A directory in which `npm run dev` has been. */
let cwd: string;
beforeAll(async () => {
  database = await startDatabase('postgres');
  cwd = await mkdtemp(join(tmpdir(), 'daybook-'));
  await mkdir(join(cwd, '.daybook'));
  const variables = [
    `DATABASE_URL="${database.ownerUrl}"`,
    `DAYBOOK_LOCAL_DATABASE="${database.endpoint.url.href}"`,
    `DAYBOOK_KEY_SECRET="${SECRET}"`,
  ];
  await writeFile(join(cwd, '.daybook', 'owner.env'), variables.join('\n'));
});
afterAll(async () => {
  await database.close();
  await rm(cwd, { recursive: true });
});

const CREATE = ['keys', 'create', '--name', 'web', '--workspace', 'acme'];

describe('--dev', () => {
  test('is named where DATABASE_URL or DAYBOOK_KEY_SECRET is not set', async () => {
    for (const args of [['migrate'], ['doctor'], ['keys', 'list'], ['retention', 'status'], CREATE]) {
      const { code, out } = await daybook(args, { cwd });
      expect(out).toMatch(/^Set (DATABASE_URL|DAYBOOK_KEY_SECRET): .*npm run … -- --dev/);
      expect(code).toBe(1);
    }
  });

  test('needs no variable', async () => {
    expect(await daybook(['doctor', '--dev'], { cwd })).toMatchObject({ code: 0 });
    const made = await daybook([...CREATE, '--dev'], { cwd });
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^dbk_/m) });
  });

  test('takes nothing from the environment', async () => {
    const env = {
      DATABASE_URL: 'postgres://owner:secret@db.invalid/production',
      DAYBOOK_LOCAL_DATABASE: 'http://127.0.0.1:9/sql',
      DAYBOOK_KEY_SECRET: 'short',
    };
    expect(await daybook(['doctor', '--dev'], { cwd, env })).toMatchObject({ code: 0 });
    expect(await daybook([...CREATE, '--dev'], { cwd, env })).toMatchObject({ code: 0 });
  });

  test('says to start npm run dev where it has never been', async () => {
    const { code, out } = await daybook(['doctor', '--dev'], { cwd: tmpdir() });
    expect(out).toBe('There is no .daybook/owner.env. Start "npm run dev" first.\n');
    expect(code).toBe(1);
  });
});

const UNREADABLE =
  'is not a URL: its host or port is none, or its password holds a character such as / or # (write %2F, %23)';

describe('DATABASE_URL', () => {
  test.each([
    ['db.example', 'is not a URL'],
    ['mysql://u:secret@h/d', 'does not begin with postgres://'],
    ['postgres://:secret@h/d', 'names no user'],
    ['postgres://u@h/d', 'has no password'],
    ['postgres://u:secret@h', 'names no database'],
    ['postgres:///d', 'names no host'],
    ['postgres://u:secret@%HOST%/d', UNREADABLE],
    ['postgres://u:secret@10.0.0.300/d', UNREADABLE],
    ['postgres://u:sec/secret@h/d', UNREADABLE],
    ['postgres://u:secret%@h/d', 'has a % that begins no escape (write %25)'],
  ])('of %s is refused by a sentence that keeps the password', async (url, fault) => {
    const { code, out } = await daybook(['doctor'], { env: { DATABASE_URL: url } });
    expect(out).toBe(`DATABASE_URL ${fault}. It looks like postgres://user:password@host/database.\n`);
    expect(code).toBe(1);
  });

  test.each(['127.0.0.1', '192.0.2.7:5432', '[::1]:5432', 'localhost'])(
    'of a plain Postgres server, at %s, is refused, and what to do said',
    async (host) => {
      const env = { DATABASE_URL: `postgres://owner:secret@${host}/app` };
      const { code, out } = await daybook(['migrate'], { env });
      expect(out).toMatch(/^DATABASE_URL is no address of a Neon database: .*--dev/);
      expect(out).not.toContain('secret');
      expect(code).toBe(1);
    },
  );

  test('of a host that is not there is named, not its password', async () => {
    const env = { DATABASE_URL: 'postgres://owner:secret@db.invalid/production' };
    const { code, out } = await daybook(['doctor'], { env });
    expect(out).toMatch(/^db\.invalid does not answer \(\w+\)\. Check DATABASE_URL/);
    expect(out).not.toContain('secret');
    expect(code).toBe(1);
  });
});

describe("the Worker's DATABASE_URL", () => {
  test("in place of the owner's is told", async () => {
    const env = { DATABASE_URL: database.appUrl, DAYBOOK_LOCAL_DATABASE: database.endpoint.url.href };
    const { code, out } = await daybook(['keys', 'list'], { env });
    expect(out).toContain("DATABASE_URL must be the owner's connection");
    expect(out).not.toContain('://');
    expect(code).toBe(1);
  });
});

describe('DAYBOOK_LOCAL_DATABASE', () => {
  function at(endpoint: string, command: string) {
    return daybook(command.split(' '), {
      env: { DATABASE_URL: database.ownerUrl, DAYBOOK_LOCAL_DATABASE: endpoint },
    });
  }

  test.each(['migrate', 'doctor', 'keys list', 'retention status'])(
    'where nothing listens makes %j say to start npm run dev',
    async (command) => {
      const endpoint = await startEndpoint({ engine: new StubEngine() });
      await endpoint.close();
      const { code, out } = await at(endpoint.url.href, command);
      expect(out).toBe(
        `Nothing answers at ${endpoint.url.href}: the database of "npm run dev" is not running. Start "npm run dev" and leave it running.\n`,
      );
      expect(code).toBe(1);
    },
  );

  test('in front of a server that is down gives the reason in words', async () => {
    database.endpoint.intercept = () => ({ kind: 'unavailable', message: 'could not connect to the server' });
    const { code, out } = await at(database.endpoint.url.href, 'doctor');
    database.endpoint.intercept = undefined;
    expect(out).toBe('The database says: could not connect to the server\n');
    expect(code).toBe(1);
  });

  test.each([
    ['127.0.0.1', 'is not a URL'],
    ['http://192.0.2.1/sql', 'must be a loopback address'],
  ])('of %s is refused by a sentence', async (endpoint, fault) => {
    const { code, out } = await at(endpoint, 'doctor');
    expect(out).toContain(fault);
    expect(out.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(1);
  });
});

describe('DAYBOOK_KEY_SECRET', () => {
  test.each(['short', `${SECRET},short`])('of %j is refused, as the Worker refuses it', async (secret) => {
    const env = {
      DATABASE_URL: database.ownerUrl,
      DAYBOOK_LOCAL_DATABASE: database.endpoint.url.href,
      DAYBOOK_KEY_SECRET: secret,
    };
    const { code, out } = await daybook(CREATE, { env });
    expect(out).toContain('DAYBOOK_KEY_SECRET: each secret needs 32 characters or more');
    expect(code).toBe(1);
  });
});
