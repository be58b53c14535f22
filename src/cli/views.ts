import { defineCommand } from 'citty';
import { nearestName } from '../events/nearest.ts';
import { isWorkspaceId } from '../events/workspace-id.ts';
import { VIEWS } from '../views/definitions.ts';
import { installView } from '../views/install.ts';
import { asOwner, devOption } from './environment.ts';
import { UsageError, WORKSPACE_WANTED } from './usage-error.ts';

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
    reader: { type: 'string', description: 'A role that is to read it, and nothing else of Daybook' },
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
    const request = { schema, name, workspaceId: workspace, reader };
    const installed = await asOwner(args, (sql) => installView(sql, view, request));
    if (!installed.ok) {
      throw new UsageError(
        `${schema}.${name} exists, and is a ${installed.kind} of yours. Rename it first (ALTER ${installed.kind.toUpperCase()} … RENAME TO …), or choose another --name or --schema.`,
      );
    }
    console.log(`Installed ${schema}.${name}${reader === undefined ? '' : `, which ${reader} may read`}.`);
  },
});

export const viewsCommand = defineCommand({
  meta: { name: 'views', description: 'Views that keep readers of an old table working' },
  subCommands: { install },
});
