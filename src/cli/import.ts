import { defineCommand } from 'citty';
import { isWorkspaceId } from '../events/workspace-id.ts';
import { SYSTEM_WORKSPACE } from '../events/own-event.ts';
import { appendInThread } from '../import/append-in-thread.ts';
import { ImportError } from '../import/import-error.ts';
import { openImport } from '../import/open-import.ts';
import { PRESETS } from '../import/presets/preset.ts';
import { reportText } from '../import/report-text.ts';
import { runImport, type Progress } from '../import/run-import.ts';
import { asOwner, devOption } from './environment.ts';
import { keptByNpm } from './kept-by-npm.ts';
import { ProgressBar } from './progress.ts';
import { UsageError, WORKSPACE_WANTED } from './usage-error.ts';

export const importCommand = defineCommand({
  meta: {
    name: 'import',
    description: 'Bring an old audit log in; run it again to go on, nothing is stored twice',
  },
  args: {
    ...devOption,
    from: {
      type: 'string',
      description: 'postgres://user:password@host/database, a SQLite database, .csv or .ndjson',
      required: true,
    },
    preset: { type: 'string', description: `A known source: ${PRESETS.join(', ')}` },
    mapping: { type: 'string', description: 'A JSON file that says what each column is (docs/migrating.md)' },
    table: { type: 'string', description: 'The table, as schema.name; the one of the preset otherwise' },
    workspace: { type: 'string', description: 'The workspace of rows that name none' },
    'dry-run': {
      type: 'boolean',
      description: 'Read and check everything, and write nothing to the database',
    },
    rejects: { type: 'string', description: 'The file for rows that cannot be stored' },
  },
  async run({ args }) {
    const dryRun = args['dry-run'] === true;
    if (!dryRun && keptByNpm('dry_run', 'dryrun'))
      throw new UsageError('npm kept --dry-run to itself. Write: npm run daybook -- import --dry-run …');
    checkWorkspace(args.workspace);
    try {
      const opened = await openImport(args);
      const rejects = args.rejects ?? opened.rejects;
      const bar = new ProgressBar(opened.source.total);
      try {
        const { report, retention, resumed } = await asOwner(args, async (sql, address) => {
          const thread = appendInThread(address);
          try {
            const onProgress = ({ done, report }: Progress) => bar.show(done, report.read);
            return await runImport(sql, { ...opened, append: thread.append, rejects, dryRun, onProgress });
          } finally {
            bar.end();
            await thread.close();
          }
        });
        const { kept } = opened;
        const { workspace } = args;
        console.log(reportText(report, { retention, rejects, dryRun, resumed, kept, workspace }));
      } finally {
        await opened.source.close();
      }
    } catch (error) {
      if (error instanceof ImportError) throw new UsageError(error.message, { cause: error });
      throw error;
    }
  },
});

function checkWorkspace(workspace: string | undefined): void {
  if (workspace === undefined) return;
  if (!isWorkspaceId(workspace)) throw new UsageError(WORKSPACE_WANTED);
  if (workspace === SYSTEM_WORKSPACE)
    throw new UsageError(`Only the service writes to the workspace ${SYSTEM_WORKSPACE}. Name another.`);
}
