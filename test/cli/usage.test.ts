import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { daybook } from './daybook.ts';

const CREATE = ['keys', 'create', '--name', 'web', '--workspace', 'acme'];

test.each([
  [['migrate', '--dryrun'], '"migrate" has no option --dryrun. Did you mean --dry-run?'],
  [['migrate', '--dry_run'], 'Did you mean --dry-run?'],
  [['migrate', '--no-dry-run'], '"migrate" has no option --no-dry-run.'],
  [['migrate', '-dev'], '"migrate" has no option -dev. Did you mean --dev?'],
  [['migrate', 'status', '--dry-run'], '"migrate status" has no option --dry-run. It has --dev.'],
  [['doctor', '--verbose=yes'], '"doctor" has no option --verbose. It has --dev.'],
  [[...CREATE, '--expire', '3d'], '"keys create" has no option --expire. Did you mean --expires?'],
])('refuses the unknown option in %j', async (args, message) => {
  const { code, out } = await daybook(args);
  expect(out).toContain(message);
  expect(code).toBe(1);
});

test.each([
  [['doctor', 'extra'], '"doctor" does not take "extra".'],
  [['migrate', '--', 'status'], 'Options come after the command: migrate status ….'],
  [['migrate', '--dev', 'status'], 'Options come after the command: migrate status ….'],
  [['retention', 'run', 'now'], '"retention run" does not take "now".'],
  [['keys', 'revoke', 'one', 'two'], '"keys revoke" does not take "two".'],
  [['keys', 'list', 'acme'], '"keys list" does not take "acme".'],
])('refuses the word too many in %j', async (args, message) => {
  const { code, out } = await daybook(args);
  expect(out).toContain(message);
  expect(code).toBe(1);
});

test.each([
  [['migrat'], 'There is no command "migrat". Did you mean migrate?'],
  [
    ['constructor'],
    'There is no command "constructor". Choose from setup, migrate, doctor, keys, retention, catalogue, views, import.',
  ],
  [['keys', 'delete'], 'There is no command "keys delete". Choose from create, list, revoke.'],
  [['keys'], 'Name a command first, options after it: keys create|list|revoke.'],
  [
    ['--dev', 'doctor'],
    'Name a command first, options after it: setup|migrate|doctor|keys|retention|catalogue|views|import.',
  ],
])('refuses %j, which names no command', async (args, message) => {
  const { code, out } = await daybook(args);
  expect(out).toContain(message);
  expect(code).toBe(1);
});

test.each([
  [[...CREATE, '--expires'], '--expires needs a value'],
  [['keys', 'create', '--workspace', 'acme', '--name', '--dev'], '--name needs a value'],
  [['migrate', '--dry-run=false'], '--dry-run takes no value'],
  [[...CREATE, '--scope', 'events:read', '--scope', 'events:write'], '--scope is given twice.'],
  [['keys', 'create', '--name', 'web'], 'Missing required argument: --workspace. Try --help.'],
])('refuses the option without its value, or with one too many, in %j', async (args, message) => {
  const { code, out } = await daybook(args);
  expect(out).toContain(message);
  expect(code).toBe(1);
});

test('takes a value that begins with a dash where it is written with =', async () => {
  const { out } = await daybook(['keys', 'create', '--workspace', 'acme', '--name=-x']);
  expect(out).toContain('Set DAYBOOK_KEY_SECRET');
});

test('shows in help how a command is typed', async () => {
  const { code, out } = await daybook(['keys', '--help']);
  expect(out).toContain('npm run daybook -- keys create|list|revoke');
  expect(code).toBe(0);
});

test.each([
  [['import', 'postgres://u:secret@h/d', '--from', 'old.csv']],
  [['postgres://u:sec@secret/x@h/d']],
  [['doctor', 'postgres://u:secret@h/d']],
])('repeats no password that stands where none is taken, as in %j', async (args) => {
  const { code, out } = await daybook(args);
  expect(out).toContain('postgres://…');
  expect(out).not.toContain('secret');
  expect(code).toBe(1);
});

test('tells its version', async () => {
  const { code, out } = await daybook(['--version']);
  expect([code, out.trim()]).toEqual([0, packageJson.version]);
});

test.each([[['help', 'keys', 'create']], [['keys', 'create', '--help']]])(
  'tells what %j takes',
  async (args) => {
    const { code, out } = await daybook(args);
    expect(code).toBe(0);
    expect(out).toContain('--scope');
  },
);
