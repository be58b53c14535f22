import { defineCommand } from 'citty';
import { runRetention } from '../retention/run.ts';
import { retentionStatus } from '../retention/status.ts';
import { asOwner, devOption } from './environment.ts';

const status = defineCommand({
  meta: { name: 'status', description: 'Show what will be forgotten and dropped when, and the last runs' },
  args: devOption,
  async run({ args }) {
    console.log(JSON.stringify(await asOwner(args, retentionStatus), null, 2));
  },
});

const run = defineCommand({
  meta: { name: 'run', description: 'Do now what the hourly run would do' },
  args: devOption,
  async run({ args }) {
    console.log(JSON.stringify(await asOwner(args, (sql) => runRetention(sql, 'cli')), null, 2));
  },
});

export const retentionCommand = defineCommand({
  meta: { name: 'retention', description: 'Look at retention, or run it' },
  subCommands: { status, run },
});
