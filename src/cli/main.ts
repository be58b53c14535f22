#!/usr/bin/env node
import { NeonDbError } from '@neondatabase/serverless';
import { defineCommand, runCommand, runMain } from 'citty';
import { KeyRequestError } from '../auth/issue.ts';
import { MigrationDrift } from '../db/migrate.ts';
import { doctorCommand } from './doctor.ts';
import { UsageError } from './environment.ts';
import { keysCommand } from './keys.ts';
import { migrateCommand } from './migrate.ts';
import { retentionCommand } from './retention.ts';

const main = defineCommand({
  meta: { name: 'daybook', description: 'The audit log that a team deploys instead of operating' },
  subCommands: {
    migrate: migrateCommand,
    doctor: doctorCommand,
    keys: keysCommand,
    retention: retentionCommand,
  },
});

try {
  const rawArgs = process.argv.slice(2);
  const asksForHelp = rawArgs.length === 0 || rawArgs.includes('--help') || rawArgs.includes('-h');
  await (asksForHelp ? runMain(main, { rawArgs: [...rawArgs, '--help'] }) : runCommand(main, { rawArgs }));
} catch (error) {
  process.exitCode = 1;
  if (error instanceof UsageError || error instanceof KeyRequestError || error instanceof MigrationDrift) {
    console.error(error.message);
  } else if (error instanceof NeonDbError) {
    console.error(
      `The database says: ${error.message}${error.code === undefined ? '' : ` (SQLSTATE ${error.code})`}`,
    );
  } else if (error instanceof Error && error.name === 'CLIError') {
    console.error(`${error.message} Try --help.`);
  } else {
    throw error;
  }
}
