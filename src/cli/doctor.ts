import { defineCommand } from 'citty';
import { diagnose, type Snapshot } from '../db/doctor/compare.ts';
import snapshot from '../db/doctor/schema-snapshot.json' with { type: 'json' };
import { readMigrations } from '../db/migrate.ts';
import { asOwner, devOption } from './environment.ts';

export const doctorCommand = defineCommand({
  meta: {
    name: 'doctor',
    description: 'Compare the live database with what the migrations make; exits 1 on any difference',
  },
  args: devOption,
  async run({ args }) {
    const expected: Snapshot = snapshot;
    const migrations = await readMigrations();
    const differences = await asOwner(args, (sql) => diagnose(sql, migrations, expected));
    for (const difference of differences) console.log(`✗ ${difference}`);
    if (differences.length > 0) process.exitCode = 1;
    else console.log('✓ The database is as the migrations make it.');
  },
});
