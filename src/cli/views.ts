import { defineCommand } from 'citty';
import { nearestName } from '../events/nearest.ts';
import { isWorkspaceId } from '../events/workspace-id.ts';
import type { ViewDefinition } from '../views/definition.ts';
import { VIEWS } from '../views/definitions.ts';
import { installView, type Installed, type InstallRequest } from '../views/install.ts';
import { asOwner, devOption } from './environment.ts';
import { typed } from './typed.ts';
import { UsageError, WORKSPACE_WANTED } from './usage-error.ts';

const OWN_SCHEMA = 'audit';
const PRESETS = Object.keys(VIEWS);

const install = defineCommand({
  meta: {
    name: 'install',
    description: 'Make a view with the name and the columns of the table that was imported',
  },
  args: {
    ...devOption,
    preset: { type: 'positional', description: `One of ${PRESETS.join(', ')}`, required: true },
    workspace: {
      type: 'string',
      description: 'The workspace whose events it shows; may be left out for the preset workspace',
    },
    schema: { type: 'string', description: "Its schema, where it is not to be the table's" },
    name: { type: 'string', description: "Its name, where it is not to be the table's" },
    integers: {
      type: 'string',
      description: 'Columns that are integers in the table, comma-separated, such as id,resource_id',
    },
    reader: {
      type: 'string',
      description: 'A role that is to read it: this workspace, or without one all there are, and no others',
    },
  },
  async run({ args }) {
    const { preset, workspace, reader } = args;
    const view = Object.hasOwn(VIEWS, preset) ? VIEWS[preset] : undefined;
    if (view === undefined) {
      const near = nearestName(preset, PRESETS);
      const hint = near === undefined ? `Choose from ${PRESETS.join(', ')}.` : `Did you mean ${near}?`;
      throw new UsageError(`There is no view for "${preset}". ${hint}`);
    }
    if (workspace === undefined && !view.hasWorkspaces)
      throw new UsageError('Add --workspace: the table named none, so the view is of one.');
    if (workspace !== undefined && !isWorkspaceId(workspace)) throw new UsageError(WORKSPACE_WANTED);
    const { schema = view.schema, name = view.name } = args;
    if (schema === OWN_SCHEMA)
      throw new UsageError(
        `--schema: ${OWN_SCHEMA} is Daybook's own, where "${typed('doctor')}" takes a view of yours for a fault. Choose another, or leave it out for ${view.schema}.`,
      );
    const integers = integersOf(args.integers, view);
    const request = { preset, schema, name, workspaceId: workspace, integers, reader };
    const installed = await asOwner(args, (sql) => installView(sql, view, request));
    if (!installed.ok) throw new UsageError(refusalOf(installed, request));
    console.log(`Installed ${schema}.${name}${reader === undefined ? '' : `, which ${reader} may read`}.`);
    const { lost } = installed;
    if (lost.length > 0)
      console.log(
        `${reader} may no more read of: ${lost.slice(0, 10).join(', ')}${lost.length > 10 ? ', …' : ''}.`,
      );
  },
});

/** @throws UsageError for a column that the view does not have */
function integersOf(asked: string | undefined, { columns }: ViewDefinition): string[] {
  const known = columns.map(([column]) => column);
  const integers = asked?.split(',').map((column) => column.trim()) ?? [];
  const unknown = integers.find((column) => !known.includes(column));
  if (unknown === undefined) return integers;
  throw new UsageError(`--integers: the view has no column "${unknown}". It has ${known.join(', ')}.`);
}

function refusalOf(refused: Extract<Installed, { ok: false }>, request: InstallRequest): string {
  const { schema, name, reader = '' } = request;
  switch (refused.reason) {
    case 'taken':
      return `${schema}.${name} exists, and is a ${refused.kind} of yours. Rename it first (ALTER ${refused.kind.toUpperCase()} … RENAME TO …), or choose another --name or --schema.`;
    case 'other_view':
      return `${schema}.${name} is the view ${refused.shows}. Choose another --name or --schema, or drop it first (DROP VIEW …).`;
    case 'depended_on':
      return `The columns of ${schema}.${name} change, and views of yours are made of it. Drop these first, and make them anew after that.`;
    case 'reader_missing':
      return `There is no role ${reader}. Make it by SQL: CREATE ROLE ${reader} LOGIN PASSWORD '…'.`;
    case 'reader_reads_all':
      return `${reader} would read every workspace: it bypasses row-level security, itself or by a role that it is a member of, as those made in Neon's console are. Make another by SQL: CREATE ROLE reporting LOGIN PASSWORD '…'.`;
  }
}

export const viewsCommand = defineCommand({
  meta: { name: 'views', description: 'Views that keep readers of an old table working' },
  subCommands: { install },
});
