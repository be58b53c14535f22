import { defineCommand } from 'citty';
import { migrate, migrationStatus, readMigrations } from '../db/migrate.ts';
import { devOption, ownerConnection } from './environment.ts';

const status = defineCommand({
  meta: { name: 'status', description: 'Show which migrations are applied; exits 1 unless all are' },
  args: devOption,
  async run({ args }) {
    const states = await migrationStatus(ownerConnection(args), await readMigrations());
    for (const { name, state, appliedAt } of states)
      console.log(`${state.padEnd(8)} ${name}  ${appliedAt ?? ''}`.trimEnd());
    if (states.some(({ state }) => state !== 'applied')) process.exitCode = 1;
  },
});

export const migrateCommand = defineCommand({
  meta: { name: 'migrate', description: 'Apply pending migrations, each in one transaction' },
  args: {
    ...devOption,
    'dry-run': { type: 'boolean', description: 'Execute everything that is pending, then roll it back' },
  },
  subCommands: { status },
  async run({ args, rawArgs }) {
    if (rawArgs.includes('status')) return;
    const dryRun = args['dry-run'] === true;
    const pending = await migrate(ownerConnection(args), await readMigrations(), {
      dryRun,
      onApplied: ({ name }) => console.log(`applied  ${name}`),
    });
    if (dryRun) for (const { name } of pending) console.log(`would apply  ${name}`);
    if (pending.length === 0) console.log('Nothing to do: every migration is applied.');
  },
});
