#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { type CommandDef, defineCommand, runCommand, runMain } from 'citty';
import { KeyRequestError } from '../auth/issue.ts';
import { MigrationDrift } from '../db/migrate.ts';
import { chooseCommand } from './arguments.ts';
import { typed } from './typed.ts';
import { UsageError } from './usage-error.ts';

const main: CommandDef = defineCommand({
  // Help prints it before each command.
  meta: { name: typed(''), description: 'The audit log that a team deploys instead of operating' },
  subCommands: {
    setup: async () => (await import('./setup/setup.ts')).setupCommand,
    migrate: async () => (await import('./migrate.ts')).migrateCommand,
    doctor: async () => (await import('./doctor.ts')).doctorCommand,
    keys: async () => (await import('./keys.ts')).keysCommand,
    retention: async () => (await import('./retention.ts')).retentionCommand,
    catalogue: async () => (await import('./catalogue.ts')).catalogueCommand,
    views: async () => (await import('./views.ts')).viewsCommand,
    import: async () => (await import('./import.ts')).importCommand,
  },
});

/** The client runs on older ones. */
const OLDEST_NODE = 22;

try {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE)
    throw new UsageError(`The commands need Node ${OLDEST_NODE} or newer; this is ${process.versions.node}.`);
  const rawArgs = process.argv.slice(2);
  const [first = 'help', ...others] = rawArgs;
  if (first === '--version') console.log(await version());
  else if (first === 'help') await runMain(main, { rawArgs: [...others, '--help'] });
  else if (rawArgs.includes('--help') || rawArgs.includes('-h'))
    await runMain(main, { rawArgs: [...rawArgs, '--help'] });
  else {
    const { command, args } = await chooseCommand(main, rawArgs);
    await runCommand(command, { rawArgs: args });
  }
} catch (error) {
  process.exitCode = 1;
  if (error instanceof UsageError || error instanceof KeyRequestError || error instanceof MigrationDrift) {
    console.error(error.message);
  } else if (error instanceof Error && error.name === 'CLIError') {
    console.error(`${error.message}. Try --help.`);
  } else {
    throw error;
  }
}

/** Of the package, which lies as deep as the sources do. */
async function version(): Promise<unknown> {
  const { version: ours } = JSON.parse(
    await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return ours;
}
