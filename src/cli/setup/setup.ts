import { defineCommand } from 'citty';
import { addressOf, withDatabase } from '../environment.ts';
import { UsageError } from '../usage-error.ts';
import { askSecret } from './ask.ts';
import { filesOf, readKept, type Files } from './kept.ts';
import { nextSteps } from './next-steps.ts';
import { prepareDatabase } from './prepare-database.ts';
import { prepareSecrets } from './prepare-secrets.ts';

const rotation = (what: string) => ({ type: 'boolean', description: `Make ${what} anew` }) as const;

export const setupCommand = defineCommand({
  meta: {
    name: 'setup',
    description: 'Make a database ready, and the secrets of a Worker; again and again without harm',
  },
  args: {
    env: {
      type: 'string',
      description:
        "wrangler's environment, such as production; the one at the top of wrangler.toml when left out",
      default: '',
    },
    workspace: { type: 'string', description: 'What the first API key is for', default: 'main' },
    'rotate-password': rotation("the password of the Worker's role"),
    'rotate-key-secret': rotation(
      'the secret that signs API keys; the old one stays good for those there are',
    ),
    'rotate-operator-key': rotation("the operator's key; the old one stays good"),
    'show-secrets': {
      type: 'boolean',
      description:
        'Print the values too. They stay in the scrollback of a terminal, and in the log of a CI run',
    },
  },
  async run({ args }) {
    if (!/^([a-z][a-z0-9-]*)?$/.test(args.env))
      throw new UsageError('--env is a name in wrangler.toml, such as production.');
    const worker = args.env === '' ? 'daybook' : `daybook-${args.env}`;
    const files = filesOf(worker);
    const address = addressOf(process.env['DATABASE_URL'] || (await askUrl()));
    const rotate = {
      password: args['rotate-password'] === true,
      keySecret: args['rotate-key-secret'] === true,
      operatorKey: args['rotate-operator-key'] === true,
    };
    await withDatabase(address, async (sql) => {
      await prepareDatabase(sql);
      await prepareSecrets(sql, address, { files, rotate, workspace: args.workspace });
    });
    if (args['show-secrets'] === true) await showSecrets(files);
    console.log(nextSteps(worker, args.env, files));
  },
});

async function askUrl(): Promise<string> {
  if (!process.stdin.isTTY)
    throw new UsageError(
      "Set DATABASE_URL: the owner's connection, as Neon's console shows it: postgres://user:password@host/database.",
    );
  return askSecret("The owner's connection string, as Neon's console shows it (it is not shown): ");
}

async function showSecrets(files: Files): Promise<void> {
  const { secrets, keys } = await readKept(files);
  console.log('');
  for (const [name, value] of Object.entries({ ...secrets, ...keys })) console.log(`${name}=${value}`);
}
