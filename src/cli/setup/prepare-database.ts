import { diagnose, NO_LOGIN, type Snapshot } from '../../db/doctor/compare.ts';
import snapshot from '../../db/doctor/schema-snapshot.json' with { type: 'json' };
import type { Sql } from '../../db/client.ts';
import { migrate, readMigrations } from '../../db/migrate.ts';
import { typed } from '../typed.ts';
import { UsageError } from '../usage-error.ts';

/** Migrates, and lets the doctor look. @throws UsageError that names what is not as the migrations make it */
export async function prepareDatabase(sql: Sql): Promise<void> {
  const migrations = await readMigrations();
  await migrate(sql, migrations, { onApplied: ({ name }) => console.log(`applied  ${name}`) });
  const expected: Snapshot = snapshot;
  const found = await diagnose(sql, migrations, expected);
  const differences = found.filter((difference) => difference !== NO_LOGIN);
  if (differences.length > 0) {
    const list = differences.map((difference) => `✗ ${difference}`).join('\n');
    throw new UsageError(
      `${list}\nThe database is not as the migrations make it, and nothing else was done. Mend that ("${typed('retention run')}" makes partitions), then run setup again.`,
    );
  }
  console.log('✓ The database is migrated, and as the migrations make it.');
}
