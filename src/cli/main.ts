#!/usr/bin/env node
import { type CommandDef, defineCommand, runCommand, runMain } from 'citty';
import { KeyRequestError } from '../auth/issue.ts';
import { MigrationDrift } from '../db/migrate.ts';
import { chooseCommand } from './arguments.ts';
import { doctorCommand } from './doctor.ts';
import { importCommand } from './import.ts';
import { keysCommand } from './keys.ts';
import { migrateCommand } from './migrate.ts';
import { retentionCommand } from './retention.ts';
import { UsageError } from './usage-error.ts';

const main: CommandDef = defineCommand({
  // As it is typed: help prints it before each command.
  meta: { name: 'npm run daybook --', description: 'The audit log that a team deploys instead of operating' },
  subCommands: {
    migrate: migrateCommand,
    doctor: doctorCommand,
    keys: keysCommand,
    retention: retentionCommand,
    import: importCommand,
  },
});

try {
  const rawArgs = process.argv.slice(2);
  const asksForHelp = rawArgs.length === 0 || rawArgs.includes('--help') || rawArgs.includes('-h');
  if (asksForHelp) await runMain(main, { rawArgs: [...rawArgs, '--help'] });
  const { command, args } = await chooseCommand(main, rawArgs);
  await runCommand(command, { rawArgs: args });
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
