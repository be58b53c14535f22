import { defineCommand } from 'citty';
import { addressOf, withDatabase } from '../environment.ts';
import { UsageError } from '../usage-error.ts';
import { askSecret } from './ask.ts';
import { filesOf, readKept, type Files } from './kept.ts';
import { isWorkspaceId } from '../../events/workspace-id.ts';
import { ANY_WORKSPACE } from '../../auth/key.ts';
import { SYSTEM_WORKSPACE } from '../../events/own-event.ts';
import { parseDatabaseUrl } from '../database-url.ts';
import { APP_ROLE } from './app-role.ts';
import { nextSteps } from './next-steps.ts';
import { prepareDatabase } from './prepare-database.ts';
import { prepareSecrets } from './prepare-secrets.ts';
import { readWorkerNames } from './worker-names.ts';

const rotation = (what: string, besides = '') =>
  ({ type: 'boolean', description: `Make ${what} anew${besides}` }) as const;

export const setupCommand = defineCommand({
  meta: {
    name: 'setup',
    description: 'Make a database ready, and the secrets of a Worker; again and again without harm',
  },
  args: {
    env: {
      type: 'string',
      description:
        "wrangler's environment, such as production, as wrangler.toml names it; the one at its top when left out",
      default: '',
    },
    workspace: { type: 'string', description: 'What the first API key is for', default: 'main' },
    'rotate-password': rotation("the password of the Worker's role"),
    'rotate-key-secret': rotation(
      'the secret that signs API keys',
      '; the old one stays good for those there are',
    ),
    'rotate-operator-key': rotation("the operator's key", '; the old one stays good'),
    'show-secrets': {
      type: 'boolean',
      description:
        'Print the values too. They stay in the scrollback of a terminal, and in the log of a CI run',
    },
  },
  async run({ args }) {
    if (!/^([a-z][a-z0-9-]*)?$/.test(args.env))
      throw new UsageError('--env is a name in wrangler.toml, such as production.');
    checkWorkspace(args.workspace);
    const names = readWorkerNames(args.env);
    const files = filesOf(names.worker);
    const address = addressOf(process.env['DATABASE_URL'] || (await askUrl()));
    tellDatabase(address.url);
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
    console.log(nextSteps(names, args.env, files));
  },
});

function checkWorkspace(workspace: string): void {
  if (workspace === SYSTEM_WORKSPACE || workspace === ANY_WORKSPACE || !isWorkspaceId(workspace))
    throw new UsageError(
      `--workspace names one workspace, by 1 to 128 characters: not ${ANY_WORKSPACE}, whose keys cannot read, nor ${SYSTEM_WORKSPACE}, to which only the service writes.`,
    );
}

/** A DATABASE_URL that was forgotten in the environment may be another's. @throws UsageError of the Worker's */
function tellDatabase(url: string): void {
  const { username, host, pathname } = parseDatabaseUrl(url);
  if (username === APP_ROLE)
    throw new UsageError(
      `DATABASE_URL must be the owner's connection, as Neon's console shows it; this is the Worker's, of ${APP_ROLE}.`,
    );
  console.log(`Database ${host}${pathname}, as ${username}:`);
}

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
