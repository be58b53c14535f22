import { defineCommand } from 'citty';
import { migrate, migrationStatus, readMigrations } from '../db/migrate.ts';
import { asOwner, devOption } from './environment.ts';
import { keptByNpm } from './kept-by-npm.ts';
import { UsageError } from './usage-error.ts';

const status = defineCommand({
  meta: { name: 'status', description: 'Show which migrations are applied; exits 1 unless all are' },
  args: devOption,
  async run({ args }) {
    const migrations = await readMigrations();
    const states = await asOwner(args, (sql) => migrationStatus(sql, migrations));
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
  async run({ args }) {
    const dryRun = args['dry-run'] === true;
    if (!dryRun && keptByNpm('dry_run', 'dryrun'))
      throw new UsageError('npm kept --dry-run to itself. Write: npm run migrate -- --dry-run');
    const onApplied = ({ name }: { name: string }) => console.log(`applied  ${name}`);
    const migrations = await readMigrations();
    const pending = await asOwner(args, (sql) => migrate(sql, migrations, { dryRun, onApplied }));
    if (dryRun) for (const { name } of pending) console.log(`would apply  ${name}`);
    if (pending.length === 0) console.log('Nothing to do: every migration is applied.');
  },
});
